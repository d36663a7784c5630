/** The command line of a run: fixed arguments, and validated options of a closed set. Nothing else. */
import { join } from 'node:path';
import type { RunAction } from '../../protocol/request.ts';
import { RUN_FILES } from '../runs/run-store.ts';

export interface AgentCommand {
  puppet: string;
  run: string;
  dir: string;
  action: RunAction;
  /** The site's own log destination; null: Puppet's default, syslog. */
  logdest: string | null;
  /** The words of PUPPET_EXTRA_OPTS, as puppet.service passes them. */
  extraOptions: readonly string[];
}

/**
 * `puppet agent` as puppet.service would run it, once. Each fixed argument answers a way in which
 * puppet.conf could make the outcome untrue (docs/puppet.md, "What puppet.conf can do to a run").
 * The race for Puppet's lock is lost at once (`--waitforlock 0`): the request then waits with us,
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
    ...['--logdest', `${logdest ?? 'syslog'},${join(dir, RUN_FILES.log)}`],
    ...(action.environment === undefined
      ? []
      : ['--strict_environment_mode', '--environment', action.environment]),
    ...commonOptions(action),
    ...(action.runTimeout === undefined
      ? []
      : ['--runtimeout', String(action.runTimeout + OUR_LIMIT_FIRST_S)]),
  ];
}

/** Puppet's own limit lies this far (seconds) behind ours, so that it is we who say `timed-out`. */
const OUR_LIMIT_FIRST_S = 60;

export interface ApplyCommand {
  puppet: string;
  dir: string;
  action: RunAction;
  manifest: string;
  logdest: string | null;
}

/** `puppet apply` knows no --job-id: a report of the run's own is its proof (docs/puppet.md). */
export function applyArguments({ puppet, dir, action, manifest, logdest }: ApplyCommand): string[] {
  return [
    puppet,
    'apply',
    '--detailed-exitcodes',
    '--color=false',
    '--report',
    ...['--lastrunreport', join(dir, RUN_FILES.report)],
    ...['--logdest', `${logdest ?? 'syslog'},${join(dir, RUN_FILES.log)}`],
    ...(action.environment === undefined
      ? []
      : ['--strict_environment_mode', '--environment', action.environment]),
    ...commonOptions(action),
    manifest,
  ];
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
