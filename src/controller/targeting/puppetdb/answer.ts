/** What PuppetDB answered: rows, or why not. */
import { KickError } from '../../../errors.ts';
import { clip, safeText } from '../../../util/text.ts';
import { problem, type RawAnswer } from './exchange.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Characters of PuppetDB's own words. */
const MAX_ERROR = 4096;

/** Throws `KickError` `puppetdb` unless they are rows. */
export function rowsIn({ status, text }: RawAnswer, url: string): Row[] {
  if (status !== 200) throw refused(url, status, text);
  return rowsOf(url, text);
}

/** PuppetDB's own words, whole: a PQL error shows its place in lines of its own. */
function refused(url: string, status: number, text: string): KickError {
  const words = clip(text.trim(), MAX_ERROR).split('\n').map(safeText).join('\n  ');
  const hints: Record<number, string> = {
    400: 'the query (PQL) is not one that it can answer',
    403: "its certificate-allowlist and auth.conf do not know this controller's certname",
    404: 'is this the URL of PuppetDB?',
    503: 'it is starting; try again in a minute',
  };
  const hint = hints[status];
  return new KickError('puppetdb', `ask PuppetDB at ${url}: it answered ${status}:\n  ${words}`, {
    ...(hint !== undefined && { hint }),
  });
}

function rowsOf(url: string, text: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem(url, 'its answer is not JSON');
  }
  if (!Array.isArray(value) || !value.every((row) => typeof row === 'object' && row !== null)) {
    throw problem(url, 'its answer is not a list of rows');
  }
  return value as Row[];
}
