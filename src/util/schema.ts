/** Turns valibot's issues into our messages: all problems of a document at once, each with its path. */
import * as v from 'valibot';

/** Problems that get a line each. */
const MAX_PROBLEMS = 20;

export interface Problem {
  path: string[];
  message: string;
}

/** The problems of a failed parse, each with its path of keys. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): Problem[] {
  return issues.map((issue) => ({
    path: (issue.path ?? []).map((item) => String(item.key)),
    message: issue.type === 'strict_object' && issue.expected === 'never' ? 'not known here' : issue.message,
  }));
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
