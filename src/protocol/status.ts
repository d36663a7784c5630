/** What an agent reports about itself and its host; unknown keys of newer versions are ignored. */
import * as v from 'valibot';
import { count, duration, measure, text, time } from '../util/bounds.ts';
import { boundedArray } from '../util/schema.ts';
import { DoctorSchema } from './doctor.ts';
import { DriftSchema, HolderSchema } from './event.ts';

/** Puppet's counts and times, by Puppet's names. */
const metrics = v.record(text(64), measure);

export const MAX_CLASSES = 10_000;

/** How a host runs Puppet: agent.yaml, runner. */
export const RUNNER_NAMES = ['puppet-agent', 'puppet-apply', 'command'] as const;
export type RunnerName = (typeof RUNNER_NAMES)[number];

export const LastRunSchema = v.object({
  status: v.picklist(['failed', 'changed', 'unchanged']),
  /** Milliseconds since 1970: the time in the report, when the run began. */
  at: time,
  noop: v.optional(v.boolean()),
  /** There was drift: `drift` says what became of it. */
  correctiveChange: v.optional(v.boolean()),
  drift: v.optional(DriftSchema),
  cachedCatalog: v.optional(text(64)),
  environment: v.optional(text(128)),
  /** The environment in the host's own settings, if the run used another. */
  settingsEnvironment: v.optional(text(128)),
  configurationVersion: v.optional(text(256)),
  /** Counts of resources: total, changed, failed, out_of_sync, corrective_change, … */
  resources: v.optional(metrics),
  /** Seconds: total, config_retrieval, … */
  times: v.optional(metrics),
});

/** Why Puppet is disabled on the host, and by whom. */
export const DisabledSchema = v.object({
  reason: text(500),
  /** `root@puppet`; absent if it was `puppet agent --disable` on the host. */
  by: v.optional(text(330)),
  /** Milliseconds since 1970. */
  since: v.optional(time),
  until: v.optional(time),
});

/** The runs that the agent starts by itself (agent.yaml, pull). */
export const PullSchema = v.object({
  /** Milliseconds. */
  intervalMs: duration,
  /** Milliseconds since 1970: when the next one starts, unless another run comes first. */
  nextAt: time,
  /** `pushed`: the cached catalog, so that only a kick brings new code. */
  catalog: v.picklist(['new', 'pushed']),
  noop: v.optional(v.boolean()),
});

export const BrokerStatusSchema = v.object({
  /** `nats1.example.com:4222`; absent: it is not connected. */
  server: v.optional(text(300)),
  /** Why not. */
  reason: v.optional(text(1024)),
  /** How often the connection was made again. */
  reconnects: count,
  /** Milliseconds since 1970: when the certificate that it has shown expires. */
  certificateEnds: v.optional(time),
});

export const StatusSchema = v.object({
  certname: text(253),
  version: text(64),
  runner: text(32),
  puppetVersion: v.optional(text(64)),
  /** Milliseconds since 1970, the agent's clock. */
  time,
  /** Milliseconds. */
  uptime: duration,
  running: v.optional(HolderSchema),
  waiting: count,
  disabled: v.optional(DisabledSchema),
  /** Why no run can start: Puppet's own lock files cannot be read. */
  obstacle: v.optional(text(1024)),
  lastRun: v.optional(LastRunSchema),
  pull: v.optional(PullSchema),
  /** Why pull mode starts no runs although agent.yaml sets it. */
  pullOff: v.optional(text(200)),
  /** Its connection to brokers (NATS), if it has them. */
  broker: v.optional(BrokerStatusSchema),
  /** Only if asked for. */
  doctor: v.optional(DoctorSchema),
  /** Puppet's classes.txt, only if asked for. */
  classes: v.optional(boundedArray(text(256), MAX_CLASSES)),
});

export type AgentStatus = v.InferOutput<typeof StatusSchema>;
export type LastRun = v.InferOutput<typeof LastRunSchema>;
export type BrokerStatus = v.InferOutput<typeof BrokerStatusSchema>;
export type Disabled = v.InferOutput<typeof DisabledSchema>;
export type PullStatus = v.InferOutput<typeof PullSchema>;

/** What became of a command. */
const COMMAND_RESULTS = [
  'done',
  /** It was so already, and nothing was changed. */
  'already',
  /** There is nothing to do it to. */
  'nothing',
  /** Somebody else disabled it: it needs --force. */
  'held',
  /** A word of a newer agent; its message says more. */
  'unclear',
] as const;

export const CommandReplySchema = v.object({
  result: v.optional(v.fallback(v.picklist(COMMAND_RESULTS), 'unclear'), 'done'),
  /** For people. */
  message: text(2048),
});

export type CommandReply = v.InferOutput<typeof CommandReplySchema>;
