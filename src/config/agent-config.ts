/** agent.yaml: a host's own settings. Everything has a default. */
import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../errors.ts';
import { CertnameSchema, EnvironmentSchema } from '../protocol/names.ts';
import { OPERATIONS } from '../protocol/request.ts';
import { RUNNER_NAMES } from '../protocol/status.ts';
import { longText, typedText, whole } from '../util/bounds.ts';
import { MAX_DURATION_MS, parseDuration, typedDuration } from '../util/duration.ts';
import { NatsConfigSchema } from './nats-config.ts';

const path = v.pipe(longText, v.check(isAbsolute, 'not an absolute path'));

const duration = v.pipe(
  typedText,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDuration(String(dataset.value));
    } catch (error) {
      addIssue({ message: problemOf(messageOf(error)) });
      return NEVER;
    }
  }),
);

function problemOf(message: string): string {
  const place = /column \d+/.exec(message)?.[0];
  return place === undefined
    ? `longer than ${typedDuration(MAX_DURATION_MS)}`
    : `not a duration, see ${place} of it: write it like 90s, 10m or 1h30m`;
}

/** Nothing can be done in less. */
const atLeastASecond = v.pipe(duration, v.minValue(1000, 'shorter than a second'));

const ControllerSchema = v.union(
  [
    CertnameSchema,
    v.strictObject({
      name: CertnameSchema,
      ops: v.optional(v.array(v.picklist(OPERATIONS))),
      environments: v.optional(v.array(EnvironmentSchema)),
      noop_only: v.optional(v.boolean()),
    }),
  ],
  'neither a certname nor {name, ops, environments, noop_only}',
);

const VariablesSchema = v.record(
  v.pipe(longText, v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not a name of a variable')),
  longText,
);

/** Pull mode: runs by the agent's own schedule, through the same queue. */
const PullSchema = v.strictObject({
  /** `puppet`: Puppet's own setting. */
  runinterval: v.optional(v.union([v.literal('puppet'), duration], 'not a duration, nor "puppet"'), '30m'),
  /** Whether hosts are spread over the interval by certname, or over how much of it. */
  splay: v.optional(v.union([v.boolean(), duration], 'neither true, false, nor a duration'), true),
  /** `pushed`: the cached catalog, so that only a kick brings new code. */
  catalog: v.optional(v.picklist(['new', 'pushed']), 'new'),
  /** Only reports changes. */
  noop: v.optional(v.boolean(), false),
});

const AgentKeysSchema = v.strictObject({
  port: v.optional(whole(0, 65_535), 8139),
  /** The address to listen on; defaults to all. */
  bind: v.optional(longText),
  /** Whether it has a port at all. */
  listen: v.optional(v.boolean(), true),
  /** Whether and when it ends if systemd holds its port (kick-agent.socket) and nothing needs it. */
  idle_exit: v.optional(
    v.union([v.literal(false), atLeastASecond], 'neither false nor a duration of a second or more'),
    '10m',
  ),
  /** Brokers through which controllers may come. */
  nats: v.optional(NatsConfigSchema),
  /** Certnames of hosts that may send requests, in addition to Puppet's administrators. */
  controllers: v.optional(v.array(ControllerSchema), []),
  /** Whether a certificate with Puppet's pp_cli_auth is enough. */
  trust_pp_cli_auth: v.optional(v.boolean(), true),
  runner: v.optional(v.picklist(RUNNER_NAMES), 'puppet-agent'),
  puppet: v.optional(path),
  pki_dir: v.optional(path),
  certname: v.optional(CertnameSchema),
  /** With `runner: puppet-apply`. */
  apply: v.optional(v.strictObject({ manifest: path })),
  /** With `runner: command`: the program, an absolute path, and its arguments. */
  command: v.optional(
    v.pipe(
      v.array(longText),
      v.minLength(1),
      v.check(([program]) => isAbsolute(program ?? ''), 'the first must be an absolute path'),
    ),
  ),
  /** Added to the environment of a run. */
  run_environment: v.optional(VariablesSchema, {}),
  /** Read as by puppet.service; defaults to the same files. */
  environment_files: v.optional(v.array(path)),
  /** How long a run may take; defaults to Puppet's runtimeout plus five minutes. */
  run_timeout: v.optional(atLeastASecond),
  /** Maximum number of waiting requests. */
  queue_size: v.optional(whole(1, 10_000), 100),
  /** Between TERM and KILL when a run is ended. */
  kill_grace: v.optional(duration, '30s'),
  /** A run without output for this long is reported as stuck. */
  stuck_after: v.optional(atLeastASecond, '15m'),
  /** Runs that the agent starts by itself; defaults to none. */
  pull: v.optional(PullSchema),
  /** A file for node_exporter's textfile collector. */
  metrics_file: v.optional(path),
  log_level: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
});

export const AgentConfigSchema = v.pipe(
  AgentKeysSchema,
  v.forward(
    v.check(
      ({ listen, nats, pull }) => listen || nats !== undefined || pull !== undefined,
      'without a port, nats or pull nobody can reach this host',
    ),
    ['listen'],
  ),
);

export type AgentConfig = v.InferOutput<typeof AgentConfigSchema>;
