/** What a command's exit code says. */
export const exitCode = {
  green: 0,
  /** Yellow or red findings, or evidence that doesn't verify. */
  findings: 1,
  /** Usage or bad input. */
  usage: 2,
  /** A fault of ours. */
  internal: 3,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
