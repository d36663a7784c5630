import type { Terminal } from '../src/cli/terminal.ts';

/** A terminal of 80 columns that shows nothing. */
export const silentTerminal: Terminal = {
  isTty: false,
  color: false,
  columns: () => 80,
  rows: () => 24,
  outColumns: () => undefined,
  out() {},
  err() {},
  draw() {},
};
