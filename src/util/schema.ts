/** Turns valibot's issues into our messages: all problems of a document at once, each with its path. */
import * as v from 'valibot';
import { clip } from './text.ts';

/** Problems that get a line each. */
const MAX_PROBLEMS = 20;

/** The message for a key that a schema does not know. */
export const UNKNOWN_KEY = 'not known here';

export interface Problem {
  path: string[];
  message: string;
}

/** The problems of a failed parse, each with its path of keys. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): Problem[] {
  return issues.map((issue) => ({
    path: (issue.path ?? []).map((item) => String(item.key)),
    message: messageFor(issue),
  }));
}

const KINDS: Readonly<Record<string, string>> = {
  ...{ string: 'text', number: 'a number', boolean: 'true or false', array: 'a list' },
  ...{ object: 'a mapping', strict_object: 'a mapping', record: 'a mapping' },
  ...{ Array: 'a list', Object: 'a mapping' },
};

/** A schema's own message; valibot's are put in words of configuration files. */
function messageFor({ type, input, expected, received, requirement, message }: v.BaseIssue<unknown>): string {
  if (type === 'strict_object' && expected === 'never') return UNKNOWN_KEY;
  if (!message.startsWith('Invalid ')) return message;
  if (received === 'undefined') return 'missing';
  const shown = KINDS[received] ?? clip(received, 80);
  switch (type) {
    case 'picklist':
    case 'literal':
      return `${shown} is none of ${kindsIn(expected ?? '').join(', ')}`;
    case 'union':
      return `${shown} is neither ${kindsIn(expected ?? '').join(' nor ')}`;
    case 'integer':
      return `${shown} is not a whole number`;
    case 'finite':
      return `${shown} is not a finite number`;
    case 'min_value':
      return `${shown} is less than ${requirement}`;
    case 'max_value':
      return `${shown} is more than ${requirement}`;
    case 'min_length':
      return requirement === 1 ? 'empty' : `shorter than ${requirement} ${unitOf(input)}`;
    case 'max_length':
      return `longer than ${requirement} ${unitOf(input)}`;
  }
  const kind = KINDS[type];
  return kind === undefined ? message : `${shown} is not ${kind}`;
}

const unitOf = (input: unknown) => (typeof input === 'string' ? 'characters' : 'items');

/** Of valibot's `(string | number)`. */
function kindsIn(expected: string): string[] {
  const kinds = expected.replace(/^\(|\)$/g, '').split(' | ');
  return kinds.map((kind) => KINDS[kind] ?? kind);
}

/** `controllers.0.name: …`, one per line; of a great many, only the first. */
export function formatProblems(problems: readonly Problem[]): string {
  const lines = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  const more = problems.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** An array of at most `max` items: its length is looked at before any of them. */
export function boundedArray<S extends v.GenericSchema>(item: S, max: number) {
  return v.pipe(v.array(v.unknown()), v.maxLength(max), v.array(item));
}
