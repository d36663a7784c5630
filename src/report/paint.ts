/** Colours by what an outcome means for the exit code; none where they are not wanted. */
import { OUTCOMES, type Outcome } from '../protocol/outcome.ts';

export type Paint = (outcome: Outcome, text: string) => string;

const CODES: Record<string, number> = { changed: 33, 'would-change': 36, unchanged: 32 };
const BY_EXIT = { 0: 32, 1: 31, 3: 35, 4: 34 } as const;

export function painter(color: boolean): Paint {
  if (!color) return (_outcome, text) => text;
  return (outcome, text) => sgr(CODES[outcome] ?? BY_EXIT[OUTCOMES[outcome].exit], text);
}

/** Text that stands back (SGR 2). */
export function dimmer(color: boolean): (text: string) => string {
  return color ? (text) => sgr(2, text) : (text) => text;
}

function sgr(code: number, text: string): string {
  return text === '' ? '' : `\u001b[${code}m${text}\u001b[0m`;
}
