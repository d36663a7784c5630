/** agent.yaml: what a host decides for itself. Everything has a default. */
import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../errors.ts';
import { CertnameSchema, EnvironmentSchema } from '../protocol/names.ts';
import { OPERATIONS } from '../protocol/request.ts';
import { RUNNER_NAMES } from '../protocol/status.ts';
import { parseDuration } from '../util/duration.ts';

const path = v.pipe(v.string(), v.check(isAbsolute, 'not an absolute path'));

const duration = v.pipe(
  v.union([v.string(), v.number()]),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDuration(String(dataset.value));
    } catch (error) {
      const place = /column \d+/.exec(messageOf(error))?.[0] ?? '';
      addIssue({ message: `not a duration, see ${place} of it: write it like 90s, 10m or 1h30m` });
      return NEVER;
    }
  }),
);

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
  v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not a name of a variable')),
  v.string(),
);

/** Pull mode: runs by the agent's own schedule, through the same queue. */
const PullSchema = v.strictObject({
  /** `puppet`: as Puppet's own setting says. */
  runinterval: v.optional(v.union([v.literal('puppet'), duration], 'not a duration, nor "puppet"'), '30m'),
  /** Whether hosts are spread over the interval by their certnames, or over how much of it. */
  splay: v.optional(v.union([v.boolean(), duration], 'neither true, false, nor a duration'), true),
  /** `pushed`: the cached catalog, so that new code comes only by a kick. */
  catalog: v.optional(v.picklist(['new', 'pushed']), 'new'),
  /** Only report. */
  noop: v.optional(v.boolean(), false),
});

export type PullConfig = v.InferOutput<typeof PullSchema>;

export const AgentConfigSchema = v.strictObject({
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 8139),
  /** The address to listen on; all unless told. */
  bind: v.optional(v.string()),
  /** Certnames of hosts that may send requests, beside Puppet's administrators. */
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
      v.array(v.string()),
      v.minLength(1),
      v.check(([program]) => isAbsolute(program ?? ''), 'the first must be an absolute path'),
    ),
  ),
  /** Added to the environment of a run. */
  run_environment: v.optional(VariablesSchema, {}),
  /** Read as puppet.service reads its own; absent: the same files. */
  environment_files: v.optional(v.array(path)),
  /** How long a run may take; absent: Puppet's runtimeout and five minutes. */
  run_timeout: v.optional(duration),
  /** Requests that may wait at once. */
  queue_size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 100),
  /** Between TERM and KILL when a run is ended. */
  kill_grace: v.optional(duration, '30s'),
  /** Without a word from a run for so long, it is told to be stuck. */
  stuck_after: v.optional(duration, '15m'),
  /** Runs that the agent begins by itself; absent: none. */
  pull: v.optional(PullSchema),
  /** A file for node_exporter's textfile collector. */
  metrics_file: v.optional(path),
  log_level: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
});

export type AgentConfig = v.InferOutput<typeof AgentConfigSchema>;
