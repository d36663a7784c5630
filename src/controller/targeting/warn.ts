/** What does not stand against a choice of hosts, but whoever chose must know. */
import { clip, plural } from '../../util/text.ts';

/** Tells a sentence; what is in it may be anybody's text. */
export type Warn = (message: string) => void;

/** Names that are shown in a sentence. */
const SHOWN = 10;

/** `"a", "b" and 3 more`. */
export function quotedNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(clip(name, 80)));
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${shown.join(', ')}${more}`;
}

/** Counts and names what `where` holds that is no certname. */
export function warnOfNames(warn: Warn, where: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const are = names.length === 1 ? 'is no certname' : 'are no certnames';
  warn(`${where}: ${plural(names.length, 'name')} ${are} and left out: ${quotedNames(names)}`);
}
