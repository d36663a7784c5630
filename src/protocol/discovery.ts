/** DESIGN 12, discovery: a question to all agents, and what each answers. */
import * as v from 'valibot';
import { duration, matching, text, timeInSeconds } from '../util/bounds.ts';
import { JsonError, parseStrictJson } from '../util/json.ts';
import { boundedArray, formatProblems, problemsOf } from '../util/schema.ts';
import { CertnameSchema, LAST_KINDS, UuidSchema } from './names.ts';
import { Refusal } from './refusal.ts';

/** Seconds for which a question is answered, besides the difference between clocks. */
export const QUESTION_LIFETIME_S = 30;

/** Maximum bytes of a sealed question or answer: four RSA-4096 certificates fit. */
export const MAX_DISCOVERY_BYTES = 32 * 1024;

/** Characters of a condition as it was typed. */
const condition = text(1024);

/** What must be true of a host, as it was typed; all of it together. */
export const AsksSchema = v.strictObject({
  /** `os.family=Debian` */
  facts: v.optional(boundedArray(condition, 32)),
  classes: v.optional(boundedArray(text(256), 32)),
  /** Expressions of facts and classes. */
  where: v.optional(boundedArray(text(2048), 8)),
  /** One of them. */
  last: v.optional(boundedArray(v.picklist(LAST_KINDS), LAST_KINDS.length)),
  /** Milliseconds: what `stale` means. */
  olderThan: v.optional(duration),
});

/** Characters of each of the lists. */
export const MAX_MEANT = 4096;

/** Expressions of certnames, masks and regular expressions. */
export const MeantSchema = v.object({
  /** A host is meant by one of them; defaults to all hosts. */
  named: v.optional(boundedArray(text(MAX_MEANT), 64)),
  exclude: v.optional(boundedArray(text(MAX_MEANT), 64)),
  /** Of short masks. */
  domain: v.optional(text(255)),
});

/** Unknown keys of newer versions are ignored, as `meant` may be: whoever asks judges what they say again. */
export const QuestionSchema = v.object({
  v: v.literal(1),
  jti: UuidSchema,
  iss: CertnameSchema,
  /** Where answers go: of the asker's subjects, the part that is its connection's. */
  session: matching(/^[A-Za-z0-9_-]{1,64}$/, 'not a session'),
  /** Seconds since 1970. */
  iat: timeInSeconds,
  exp: timeInSeconds,
  /** `AsksSchema`; parsed on its own, so that an agent can answer that it cannot judge something newer. */
  asks: v.unknown(),
  /** `MeantSchema`: a host that is not named says nothing, one that is excluded says no. */
  meant: v.optional(v.unknown()),
  /** Hosts for which it is not so are to say so. */
  all: v.optional(v.literal(true)),
});

/** Unknown keys of newer versions are ignored. */
export const AnswerSchema = v.object({
  v: v.literal(1),
  /** The question's `jti`. */
  question: UuidSchema,
  iss: CertnameSchema,
  /** A newer agent's word is unclear to us. */
  is: v.fallback(v.picklist(['yes', 'no', 'unclear']), 'unclear'),
  /** With `unclear`: why, for people. */
  why: v.optional(text(400)),
});

/** What a host says of itself in an answer. */
export const VerdictSchema = v.pick(AnswerSchema, ['is', 'why']);

export type Verdict = v.InferOutput<typeof VerdictSchema>;
export type Asks = v.InferOutput<typeof AsksSchema>;
export type Meant = v.InferOutput<typeof MeantSchema>;
export type Question = v.InferOutput<typeof QuestionSchema>;
export type Answer = v.InferOutput<typeof AnswerSchema>;

/** Of verified bytes. Throws `Refusal` `malformed`. */
export function parseQuestion(payload: Uint8Array): Question {
  return parse(QuestionSchema, payload);
}

/** Of verified bytes. Throws `Refusal` `malformed`. */
export function parseAnswer(payload: Uint8Array): Answer {
  return parse(AnswerSchema, payload);
}

function parse<S extends v.GenericSchema>(schema: S, payload: Uint8Array): v.InferOutput<S> {
  let value: unknown;
  try {
    value = parseStrictJson(payload, { maxBytes: MAX_DISCOVERY_BYTES });
  } catch (error) {
    if (error instanceof JsonError) throw new Refusal('malformed', error.message);
    throw error;
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new Refusal('malformed', formatProblems(problemsOf(parsed.issues)));
}
