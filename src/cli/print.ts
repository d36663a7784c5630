/** Text for people on stdout: in a terminal its lines are broken between words, elsewhere they stay as they are. */
import { wrapText } from '../report/wrap.ts';
import type { Terminal } from './terminal.ts';

export function print({ out, outColumns }: Pick<Terminal, 'out' | 'outColumns'>, text: string): void {
  const columns = outColumns();
  out(columns === undefined ? text : wrapText(text, columns));
}

/** The same on stderr. */
export function note(
  { err, isTty, columns }: Pick<Terminal, 'err' | 'isTty' | 'columns'>,
  text: string,
): void {
  err(isTty ? wrapText(text, columns()) : text);
}
