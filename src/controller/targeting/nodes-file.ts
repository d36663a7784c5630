/** Files that list hosts (--nodes-file). */

import { MAX_NAMES } from '../../conditions/nodeset/allowance.ts';
import type { Named } from '../../conditions/nodeset/expression.ts';
import { endOfQuotes } from '../../conditions/nodeset/words.ts';
import { KickError } from '../../errors.ts';
import { linesIn } from '../../util/lines.ts';
import { isJson, parseNodesJson } from './nodes-json.ts';

/** A line without its comment and surrounding blanks. A quoted name may contain a #. */
export function withoutComment(line: string): string {
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (char === '#') return line.slice(0, at).trim();
    if (char === '"') at = (endOfQuotes(line, at) ?? line.length) - 1;
  }
  return line.trim();
}

/**
 * The expressions in a file: one or more per line, `#` starts a comment; or JSON (nodes-json.ts). A file without any names no hosts. Throws
 * `KickError` `usage` for more lines than there may be names.
 */
export function parseNodesFile(text: string, file: string): Named[] {
  const plain = text.replace(/^\ufeff/, '');
  if (isJson(plain)) return parseNodesJson(plain, file);
  const named: Named[] = [];
  let number = 0;
  for (const line of linesIn(plain)) {
    number += 1;
    const expression = withoutComment(line);
    if (expression === '') continue;
    if (named.length === MAX_NAMES) {
      throw new KickError('usage', `read the list of nodes "${file}": it names more than ${MAX_NAMES} hosts`);
    }
    named.push({ text: expression, origin: `${file}:${number}` });
  }
  return named.length > 0 ? named : [{ text: '', origin: file }];
}
