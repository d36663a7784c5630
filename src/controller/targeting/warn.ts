/** Warnings about a choice of hosts: they do not prevent it, but the user must know. */
import { clip, plural } from '../../util/text.ts';

/** Reports a sentence, which may contain untrusted text. */
export type Warn = (message: string) => void;

/** Maximum number of names in a sentence. */
const SHOWN = 10;

/** `"a", "b" and 3 more`. */
function quotedNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(clip(name, 80)));
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${shown.join(', ')}${more}`;
}

/** Reports the names in `where` that are not certnames. */
export function warnOfNames(warn: Warn, where: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const are = names.length === 1 ? 'is no certname' : 'are no certnames';
  warn(`${where}: ${plural(names.length, 'name')} ${are} and left out: ${quotedNames(names)}`);
}
