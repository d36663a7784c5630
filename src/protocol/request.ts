/** DESIGN 5: the content of a request. Defaults are not sent. */
import * as v from 'valibot';
import { text, timeInSeconds, whole } from '../util/bounds.ts';
import { canonicalJson } from '../util/json.ts';
import { boundedArray } from '../util/schema.ts';
import { CertnameSchema, EnvironmentSchema, TagSchema, UuidSchema } from './names.ts';

/** The closed set of what a controller may ask for (DESIGN 5). */
export const OPERATIONS = ['run', 'cancel', 'disable', 'enable'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Maximum bytes of a sealed request: three RSA-4096 certificates and a long list of tags fit. */
export const MAX_REQUEST_BYTES = 32 * 1024;

/** Maximum bytes of an answer that is no stream: a status with the names of ten thousand classes fits. */
export const MAX_ANSWER_BYTES = 1 << 20;

/** Lifetime of a request in seconds: the default and the maximum (DESIGN 5). */
export const LIFETIME_S = 300;
export const MAX_LIFETIME_S = 900;

/** Seconds by which the two clocks may differ (DESIGN 5). */
export const MAX_SKEW_S = 60;

/** Seconds that a request waits for a run in progress by default (DESIGN 4), and the maximum of that and of a run. */
export const DEFAULT_WAIT_S = 600;
export const MAX_WAIT_S = 7 * 86_400;

/** Milliseconds for which an agent knows a request again (DESIGN 5). */
export const KNOWN_MS = 30 * 86_400_000;

const TagsSchema = v.pipe(boundedArray(TagSchema, 64), v.minLength(1));

/** The options of `op: run`; their names are Puppet's. */
export const RunActionSchema = v.strictObject({
  op: v.literal('run'),
  /** true: --noop, false: --no-noop; defaults to the host's puppet.conf. */
  noop: v.optional(v.boolean()),
  tags: v.optional(TagsSchema),
  skipTags: v.optional(TagsSchema),
  environment: v.optional(EnvironmentSchema),
  useCachedCatalog: v.optional(v.literal(true)),
  usecacheonfailure: v.optional(v.literal(true)),
  ignoreschedules: v.optional(v.literal(true)),
  debug: v.optional(v.literal(true)),
  showDiff: v.optional(v.literal(true)),
  /** Time limit of the run in seconds; defaults to the agent's own limit. */
  runTimeout: v.optional(whole(1, MAX_WAIT_S)),
});

/** Cancels what this job asked of the host; without a job, any run of kick that is in progress. */
export const CancelActionSchema = v.strictObject({ op: v.literal('cancel'), job: v.optional(UuidSchema) });

/** Sets Puppet's administrative lock: nothing runs, whoever starts it. */
export const DisableActionSchema = v.strictObject({
  op: v.literal('disable'),
  reason: v.pipe(
    text(500),
    v.check((reason) => reason.trim() !== '', 'it is empty'),
  ),
  /** Seconds since 1970: when the agent enables Puppet again by itself. */
  until: v.optional(timeInSeconds),
});

export const EnableActionSchema = v.strictObject({
  op: v.literal('enable'),
  /** Even if somebody else has disabled it. */
  force: v.optional(v.literal(true)),
});

export const ActionSchema = v.variant('op', [
  RunActionSchema,
  CancelActionSchema,
  DisableActionSchema,
  EnableActionSchema,
]);

/** How a request waits. Not part of the action: requests that differ only here share a run. */
export const QueueSchema = v.strictObject({
  ifRunning: v.optional(v.literal('skip')),
  /** Seconds; defaults to `DEFAULT_WAIT_S`. */
  wait: v.optional(whole(0, MAX_WAIT_S)),
});

/** The requester, for people and logs; no decision depends on it. */
export const BySchema = v.strictObject({
  user: text(64),
  /** uid_t of Linux. */
  uid: whole(0, 2 ** 32 - 1),
  host: text(253),
  reason: v.optional(text(500)),
});

const envelopeOf = <A extends v.GenericSchema>(action: A) =>
  v.strictObject({
    v: v.literal(1),
    jti: UuidSchema,
    job: UuidSchema,
    attempt: whole(1, 9999),
    iss: CertnameSchema,
    aud: CertnameSchema,
    /** Seconds since 1970, as RFC 7519's iat and exp. */
    iat: timeInSeconds,
    exp: timeInSeconds,
    action,
    queue: v.optional(QueueSchema),
    by: BySchema,
  });

export const RequestSchema = envelopeOf(ActionSchema);

export const RunRequestSchema = envelopeOf(RunActionSchema);

export type RunAction = v.InferOutput<typeof RunActionSchema>;
export type CancelAction = v.InferOutput<typeof CancelActionSchema>;
export type DisableAction = v.InferOutput<typeof DisableActionSchema>;
export type EnableAction = v.InferOutput<typeof EnableActionSchema>;
export type Action = v.InferOutput<typeof ActionSchema>;
export type Request = v.InferOutput<typeof RequestSchema>;
export type RunRequest = v.InferOutput<typeof RunRequestSchema>;
export type By = v.InferOutput<typeof BySchema>;

/** Requests with the same key are the same request (DESIGN 5). */
export interface RequestKey {
  iss: string;
  job: string;
  attempt: number;
}

/** Two actions are the same if this is equal (DESIGN 4, "Joining a run"). */
export function canonicalAction(action: Action): string {
  const sorted =
    action.op === 'run'
      ? {
          ...action,
          ...(action.tags && { tags: [...action.tags].sort() }),
          ...(action.skipTags && { skipTags: [...action.skipTags].sort() }),
        }
      : action;
  return canonicalJson(sorted);
}

/** `deploy (sudo) on puppet` and the like, for people. */
export function describeBy(by: By): string {
  return `${by.user}@${by.host}`;
}
