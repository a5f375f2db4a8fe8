/** The one table of bounds of the package. Bytes and milliseconds are in the names. */
export const LIMITS = {
  /** Commands that run at once in one server; over it a peer is told that it is busy. */
  commandsMax: 8,
  /** Lines of one peer that wait for its command to end; then reading from it pauses. */
  commandLinesWaitingMax: 16,
  /** One line that asks for a command. */
  commandLineBytesMax: 4096,
  /** A command is ended after this time unless its entry says otherwise. */
  commandMs: 10_000,
  /** Output of one command in bytes, both streams together, unless its entry says otherwise. */
  commandOutputBytesMax: 1_048_576,
  /** Between asking a command's process group to end and killing it; and how long its output may stay silent after it has ended. */
  commandGraceMs: 2_000,
  /** Looking whether an argument matches its pattern; one that takes longer is not allowed. */
  commandPatternMs: 100,
  /** Entries of a list of commands, arguments of one, and letters of one pattern. */
  commandEntriesMax: 1000,
} as const
