/** The command line of a run: fixed arguments and a closed set of validated options, nothing else. */
import { join } from 'node:path';
import type { RunAction } from '../../protocol/request.ts';
import { RUN_FILES } from '../runs/run-files.ts';

export interface AgentCommand {
  puppet: string;
  run: string;
  dir: string;
  action: RunAction;
  /** The site's log destination; null: Puppet's default, syslog. */
  logdest: string | null;
  /** The words of PUPPET_EXTRA_OPTS, as puppet.service passes them. */
  extraOptions: readonly string[];
}

/**
 * `puppet agent` as puppet.service would run it, once. Each fixed argument prevents a way in which
 * puppet.conf could make the outcome untrue (docs/puppet.md, "What puppet.conf can do to a run").
 * With `--waitforlock 0` Puppet does not wait for its lock: the request waits in the agent instead,
 * where the holder is known and the wait can be cancelled.
 */
export function agentArguments({ puppet, run, dir, action, logdest, extraOptions }: AgentCommand): string[] {
  return [
    puppet,
    'agent',
    ...extraOptions,
    '--onetime',
    '--no-daemonize',
    '--no-splay',
    ...['--waitforlock', '0'],
    action.usecacheonfailure === true ? '--usecacheonfailure' : '--no-usecacheonfailure',
    action.useCachedCatalog === true ? '--use_cached_catalog' : '--no-use_cached_catalog',
    '--report',
    '--detailed-exitcodes',
    '--color=false',
    ...['--job-id', run],
    ...['--logdest', logsTo(dir, logdest)],
    ...(action.environment === undefined
      ? []
      : ['--strict_environment_mode', '--environment', action.environment]),
    ...commonOptions(action),
    ...(action.runTimeout === undefined
      ? []
      : ['--runtimeout', String(action.runTimeout + OUR_LIMIT_FIRST_S)]),
  ];
}

/** Seconds by which Puppet's own limit is longer than ours, so that the outcome is our `timed-out`. */
const OUR_LIMIT_FIRST_S = 60;

export interface ApplyCommand {
  puppet: string;
  dir: string;
  action: RunAction;
  manifest: string;
  logdest: string | null;
}

/** `puppet apply` has no --job-id: a report file of its own identifies the run (docs/puppet.md). */
export function applyArguments({ puppet, dir, action, manifest, logdest }: ApplyCommand): string[] {
  return [
    puppet,
    'apply',
    '--detailed-exitcodes',
    '--color=false',
    '--report',
    ...['--lastrunreport', join(dir, RUN_FILES.report)],
    ...['--logdest', logsTo(dir, logdest)],
    ...(action.environment === undefined
      ? []
      : ['--strict_environment_mode', '--environment', action.environment]),
    ...commonOptions(action),
    manifest,
  ];
}

/**
 * The run's own log first: Puppet opens them in this order, and what ends it meanwhile, like a signal, is said only to those
 * that are open. (If none is, Puppet prints it on the console.)
 */
function logsTo(dir: string, logdest: string | null): string {
  return `${join(dir, RUN_FILES.log)},${logdest ?? 'syslog'}`;
}

function commonOptions(action: RunAction): string[] {
  return [
    ...(action.noop === undefined ? [] : [action.noop ? '--noop' : '--no-noop']),
    ...(action.tags === undefined ? [] : ['--tags', action.tags.join(',')]),
    ...(action.skipTags === undefined ? [] : ['--skip_tags', action.skipTags.join(',')]),
    ...(action.ignoreschedules === true ? ['--ignoreschedules'] : []),
    ...(action.debug === true ? ['--debug'] : []),
    ...(action.showDiff === true ? ['--show_diff'] : []),
  ];
}
