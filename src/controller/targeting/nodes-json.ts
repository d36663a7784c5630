/** Lists of hosts in JSON, as `kick … --format json` and `jsonl` print them: one command's hosts are the next one's. */

import { MAX_NAMES } from '../../conditions/nodeset/allowance.ts';
import { type Named, quoteName } from '../../conditions/nodeset/expression.ts';
import { KickError } from '../../errors.ts';
import { isCertname } from '../../protocol/names.ts';
import { type JsonError, parseJsonText } from '../../util/json.ts';
import { clip } from '../../util/text.ts';

/** Where documents have their hosts: `kick nodes`, and jobs and `kick discover`. */
const LISTS = ['nodes', 'hosts'];

/** Whether a list is JSON: `[1-3]` at its beginning is a range. */
export function isJson(text: string): boolean {
  return /^\s*(\{|\[\s*(["{\]]|$))/.test(text);
}

/**
 * The hosts of a document, of a list of names or of objects with a `certname`, or of such an object a line. Each is a certname, and
 * never an expression. Throws `KickError` `usage`.
 */
export function parseNodesJson(text: string, file: string): Named[] {
  const names = new Set<string>();
  for (const name of namesIn(documentsIn(text, file))) {
    if (typeof name !== 'string' || !isCertname(name)) throw refused(file, notAName(name));
    names.add(name);
    if (names.size > MAX_NAMES) throw refused(file, `it names more than ${MAX_NAMES} hosts`);
  }
  const named = [...names].map((name) => ({ text: quoteName(name), origin: file }));
  return named.length > 0 ? named : [{ text: '', origin: file }];
}

/** One document, or one a line. */
function documentsIn(text: string, file: string): unknown[] {
  try {
    return [parseJsonText(text)];
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length < 2) throw refused(file, `it is ${clip(whyNot(error), 200)}`);
    return lines.map((line, index) => {
      try {
        return parseJsonText(line);
      } catch {
        throw refused(file, index === 0 ? 'it is not JSON' : `line ${index + 1} is not JSON`);
      }
    });
  }
}

/** With V8's words, which name the place. */
function whyNot(error: unknown): string {
  const { message, cause } = error as JsonError;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function* namesIn(documents: readonly unknown[]): Generator<unknown> {
  for (const document of documents) {
    const list = listIn(document);
    // A line of events that speaks of no host.
    if (list === undefined && documents.length > 1 && nameOf(document) === undefined) continue;
    for (const one of list ?? [document]) yield typeof one === 'string' ? one : (nameOf(one) ?? one);
  }
}

function listIn(document: unknown): readonly unknown[] | undefined {
  if (Array.isArray(document)) return document;
  if (typeof document !== 'object' || document === null) return undefined;
  const lists = LISTS.map((key) => (document as Record<string, unknown>)[key]);
  return lists.find((one): one is unknown[] => Array.isArray(one));
}

function nameOf(one: unknown): unknown {
  return typeof one === 'object' && one !== null ? (one as { certname?: unknown }).certname : undefined;
}

function notAName(name: unknown): string {
  return `not a certname: ${clip(JSON.stringify(name) ?? '', 80)}`;
}

function refused(file: string, why: string): KickError {
  return new KickError('usage', `read the list of nodes "${file}": ${why}`, {
    hint: 'JSON as kick nodes --format json prints it, or ["web1.example.com"]; or text, an expression per line',
  });
}
