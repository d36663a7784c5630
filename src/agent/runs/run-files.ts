/** Names of files in a run's folder that several parts read or write. */
export const RUN_FILES = {
  output: 'output',
  log: 'log.jsonl',
  report: 'report.yaml',
  disabled: 'disabled.json',
} as const;
