/** RFC 9457: what the API answers when it does not do as asked. */

import * as v from 'valibot';
import { count, longText } from '../../util/bounds.ts';

/** Stable codes, for scripts, with their status and title. */
export const PROBLEMS = {
  'bad-request': [400, 'The request is not valid'],
  'not-signed-in': [401, 'Sign in, or send a token'],
  'not-allowed': [403, 'Your role does not allow this'],
  'wrong-origin': [403, 'The request comes from another site'],
  'not-found': [404, 'There is no such thing'],
  'no-method': [405, 'The method is not allowed here'],
  conflict: [409, 'This does not fit the state of things'],
  'too-large': [413, 'The request is too large'],
  'not-json': [415, 'The body must be application/json'],
  'bad-choice': [422, 'The choice of hosts cannot be used'],
  'too-many-requests': [429, 'Too many attempts'],
  internal: [500, 'Something went wrong here'],
  unavailable: [503, 'Something that is needed cannot be used'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** `application/problem+json`. */
export const ProblemSchema = v.object({
  type: v.pipe(longText, v.description('urn:kick:problem: and the code')),
  title: longText,
  status: count,
  /** What is wrong this time. */
  detail: v.optional(longText),
  code: longText,
  /** What to do next. */
  hint: v.optional(longText),
  /** Each field that is wrong: its path, like `body.rollout.canary`, and why. */
  errors: v.optional(v.array(v.object({ path: longText, message: longText }))),
});

export type Problem = v.InferOutput<typeof ProblemSchema>;

export interface ProblemOptions {
  hint?: string | undefined;
  errors?: NonNullable<Problem['errors']>;
  /** Seconds: the header Retry-After. */
  retryAfter?: number;
}

/** Thrown by a handler, and sent as it is. */
export class ApiProblem extends Error {
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = 'ApiProblem';
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }

  body(): Problem {
    const [status, title] = PROBLEMS[this.code];
    const { hint, errors } = this.options;
    return {
      type: `urn:kick:problem:${this.code}`,
      title,
      status,
      code: this.code,
      ...(this.message !== '' && { detail: this.message }),
      ...(hint !== undefined && { hint }),
      ...(errors !== undefined && { errors }),
    };
  }
}
