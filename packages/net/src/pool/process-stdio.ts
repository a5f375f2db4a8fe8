/** Input, output, errors, and the channel to the parent come first; then the sockets that it shares, in order. */
export const FIRST_SHARED_DESCRIPTOR = 4
