/** A module that exports no service. */
export const nothing = 0
