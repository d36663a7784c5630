/** DESIGN 5: what a request says. Only what is not the default travels. */
import * as v from 'valibot';
import { canonicalJson } from '../util/json.ts';
import { CertnameSchema, EnvironmentSchema, TagSchema, UuidSchema } from './names.ts';

/** Bytes of a sealed request at the most: three RSA-4096 certificates and a long list of tags fit. */
/** The closed set of what a controller may ask (DESIGN 5). */
export const OPERATIONS = ['run', 'cancel', 'disable', 'enable'] as const;
export type Operation = (typeof OPERATIONS)[number];

export const MAX_REQUEST_BYTES = 32 * 1024;

/** Seconds a request lives when the controller says nothing, and at the most (DESIGN 5). */
export const LIFETIME_S = 300;
export const MAX_LIFETIME_S = 900;

/** Seconds two clocks may differ (DESIGN 5). */
export const MAX_SKEW_S = 60;

/** Seconds a request waits for a run in progress when it says nothing (DESIGN 4). */
export const DEFAULT_WAIT_S = 600;

const seconds = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const TagsSchema = v.pipe(v.array(TagSchema), v.minLength(1), v.maxLength(64));
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));

/** The options of `op: run`; their names are Puppet's. */
export const RunActionSchema = v.strictObject({
  op: v.literal('run'),
  /** true: --noop, false: --no-noop, absent: as the host's puppet.conf says. */
  noop: v.optional(v.boolean()),
  tags: v.optional(TagsSchema),
  skipTags: v.optional(TagsSchema),
  environment: v.optional(EnvironmentSchema),
  useCachedCatalog: v.optional(v.literal(true)),
  usecacheonfailure: v.optional(v.literal(true)),
  ignoreschedules: v.optional(v.literal(true)),
  debug: v.optional(v.literal(true)),
  showDiff: v.optional(v.literal(true)),
  /** Seconds of a run; absent: the agent's own limit. */
  runTimeout: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7 * 86_400))),
});

/** Ends what a job of this name asked of this host; without a job, whatever run of kick is in progress. */
export const CancelActionSchema = v.strictObject({ op: v.literal('cancel'), job: v.optional(UuidSchema) });

/** Puppet's administrative lock: nothing runs, whoever begins it. */
export const DisableActionSchema = v.strictObject({
  op: v.literal('disable'),
  reason: v.pipe(
    text(500),
    v.check((reason) => reason.trim() !== '', 'it is empty'),
  ),
  /** Seconds since 1970: when the agent enables by itself. */
  until: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});

export const EnableActionSchema = v.strictObject({
  op: v.literal('enable'),
  /** Also where somebody else has disabled it. */
  force: v.optional(v.literal(true)),
});

export const ActionSchema = v.variant('op', [
  RunActionSchema,
  CancelActionSchema,
  DisableActionSchema,
  EnableActionSchema,
]);

/** How a request waits. Not part of the action: requests that differ only here share a run. */
const QueueSchema = v.strictObject({
  ifRunning: v.optional(v.literal('skip')),
  /** Seconds; absent: `DEFAULT_WAIT_S`. */
  wait: v.optional(seconds(7 * 86_400)),
});

/** Who asks. For people and logs; nothing is decided by it. */
export const BySchema = v.strictObject({
  user: text(64),
  uid: v.pipe(v.number(), v.integer(), v.minValue(0)),
  host: text(253),
  reason: v.optional(text(500)),
});

const envelopeOf = <A extends v.GenericSchema>(action: A) =>
  v.strictObject({
    v: v.literal(1),
    jti: UuidSchema,
    job: UuidSchema,
    attempt: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9999)),
    iss: CertnameSchema,
    aud: CertnameSchema,
    /** Seconds since 1970, as RFC 7519's iat and exp. */
    iat: v.pipe(v.number(), v.integer(), v.minValue(0)),
    exp: v.pipe(v.number(), v.integer(), v.minValue(0)),
    action,
    queue: v.optional(QueueSchema),
    by: BySchema,
  });

export const RequestSchema = envelopeOf(ActionSchema);

export const RunRequestSchema = envelopeOf(RunActionSchema);

/** The same without looking into the action: to tell "I do not know this option" from "malformed". */
export const RequestShapeSchema = envelopeOf(v.looseObject({ op: v.string() }));

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

/** Two actions are the same action when this is equal (DESIGN 4, "Joining a run"). */
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
