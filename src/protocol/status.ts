/** What an agent says of itself and its host; unknown keys of later versions are ignored. */
import * as v from 'valibot';
import { DoctorSchema } from './doctor.ts';
import { DriftSchema, HolderSchema } from './event.ts';

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.number(), v.integer());
/** Puppet counts and times by names of its own. */
const metrics = v.record(text(64), v.number());

/** Puppet's latest report on the host, whoever began that run. */
/** What runs on a host: agent.yaml, runner. */
export const RUNNER_NAMES = ['puppet-agent', 'puppet-apply', 'command'] as const;
export type RunnerName = (typeof RUNNER_NAMES)[number];

export const LastRunSchema = v.object({
  status: v.picklist(['failed', 'changed', 'unchanged']),
  /** Milliseconds since 1970: the report's time, when the run began. */
  at: time,
  noop: v.optional(v.boolean()),
  /** There was drift: `drift` says what became of it. */
  correctiveChange: v.optional(v.boolean()),
  drift: v.optional(DriftSchema),
  cachedCatalog: v.optional(text(64)),
  environment: v.optional(text(128)),
  /** What the host's own settings say, where the run used another. */
  settingsEnvironment: v.optional(text(128)),
  configurationVersion: v.optional(text(256)),
  /** Counts of resources: total, changed, failed, out_of_sync, corrective_change, … */
  resources: v.optional(metrics),
  /** Seconds: total, config_retrieval, … */
  times: v.optional(metrics),
});

/** Why no Puppet runs on the host, and who said so. */
export const DisabledSchema = v.object({
  reason: text(500),
  /** `root@puppet`; absent: somebody on the host, by `puppet agent --disable`. */
  by: v.optional(text(330)),
  /** Milliseconds since 1970. */
  since: v.optional(time),
  until: v.optional(time),
});

/** The runs that the agent begins by itself (agent.yaml, pull). */
export const PullSchema = v.object({
  /** Milliseconds. */
  intervalMs: count,
  /** Milliseconds since 1970: when the next one begins, if nothing comes before. */
  nextAt: time,
  /** `pushed`: from the cached catalog, so that new code comes only by a kick. */
  catalog: v.picklist(['new', 'pushed']),
  noop: v.optional(v.boolean()),
});

export const StatusSchema = v.object({
  certname: text(253),
  version: text(64),
  runner: text(32),
  puppetVersion: v.optional(text(64)),
  /** Milliseconds since 1970, the agent's clock. */
  time,
  /** Milliseconds. */
  uptime: count,
  running: v.optional(HolderSchema),
  waiting: count,
  disabled: v.optional(DisabledSchema),
  /** Why no run can begin: Puppet's own lock files cannot be read. */
  obstacle: v.optional(text(1024)),
  lastRun: v.optional(LastRunSchema),
  pull: v.optional(PullSchema),
  /** Why pull mode begins no runs, although agent.yaml has it. */
  pullOff: v.optional(text(200)),
  /** When asked for. */
  doctor: v.optional(DoctorSchema),
  /** Puppet's classes.txt, when asked for. */
  classes: v.optional(v.pipe(v.array(text(256)), v.maxLength(10_000))),
});

export type AgentStatus = v.InferOutput<typeof StatusSchema>;
export type LastRun = v.InferOutput<typeof LastRunSchema>;
export type Disabled = v.InferOutput<typeof DisabledSchema>;
export type PullStatus = v.InferOutput<typeof PullSchema>;

/** What became of a command. */
export const COMMAND_RESULTS = [
  'done',
  /** It was so before; what was there is kept. */
  'already',
  /** There is nothing that it could be done to. */
  'nothing',
  /** Somebody else's: it needs --force. */
  'held',
] as const;

export const CommandReplySchema = v.object({
  result: v.optional(v.picklist(COMMAND_RESULTS), 'done'),
  /** For people. */
  message: text(2048),
});

export type CommandReply = v.InferOutput<typeof CommandReplySchema>;
