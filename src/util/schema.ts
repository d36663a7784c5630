/** Valibot's issues as our messages: all problems of a document at once, each with its path. */
import type * as v from 'valibot';

export interface Problem {
  path: string[];
  message: string;
}

/** The problems of a failed parse, each with the path of keys to it. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): Problem[] {
  return issues.map((issue) => ({
    path: (issue.path ?? []).map((item) => String(item.key)),
    message: issue.type === 'strict_object' && issue.expected === 'never' ? 'not known here' : issue.message,
  }));
}

/** `controllers.0.name: …`, one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('\n');
}
