/** Names of files in a run's folder that several parts read or write. */
export const RUN_FILES = {
  output: 'output',
  log: 'log.jsonl',
  report: 'report.yaml',
  /** SHA-256 of the report, as sha256sum prints it. */
  reportSum: 'report.sum',
  disabled: 'disabled.json',
} as const;
