/** The two runners that are Puppet: `puppet agent --onetime` and `puppet apply` of a fixed manifest. */
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import type { LastRun } from '../../protocol/status.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { serviceEnvironment, settingWords } from '../../puppet/service-environment.ts';
import { type PuppetSettings, puppetEnvironment, puppetSettings } from '../../puppet/settings.ts';
import { formatDuration } from '../../util/duration.ts';
import { exists } from '../../util/files.ts';
import type { Log } from '../../util/log.ts';
import { clip } from '../../util/text.ts';
import { judgePuppet } from '../judge/judge.ts';
import { cachedCatalogProblem, requireCachedCatalog } from '../puppet/cached-catalog.ts';
import { agentArguments, applyArguments } from '../puppet/command.ts';
import { readDisabled } from '../puppet/disabled-lock.ts';
import { lastRunIn, readClasses } from '../puppet/last-run.ts';
import { catalogRunHolder } from '../puppet/lock-files.ts';
import { readReport, withDrift } from '../puppet/report.ts';
import { resourcesOf } from '../puppet/report-resources.ts';
import { evidenceOf, reportsOf } from '../puppet/run-evidence.ts';
import type { SiteSettings } from '../runs/run-record.ts';
import { RUN_FILES } from '../runs/run-store.ts';
import { type Gate, type Runner, unclear } from './runner.ts';

/** How much longer than Puppet's own `runtimeout` a run may take before the agent ends it. */
const GRACE_AFTER_RUNTIMEOUT_MS = 5 * 60_000;

export interface PuppetRunnerOptions {
  /** The absolute path of `puppet`; looked for when absent. */
  puppet?: string | undefined;
  /** Where to look for it, as the variable PATH. */
  path: string;
  stateDir: string;
  /** The site's additions to a run's environment (agent.yaml). */
  runEnvironment: Readonly<Record<string, string>>;
  environmentFiles: readonly string[];
  /** Milliseconds (agent.yaml); absent: as Puppet's runtimeout says. */
  runTimeoutMs?: number | undefined;
  log: Log;
}

/**
 * Looked at anew for every run: Puppet may have been installed, upgraded or configured since the last. `isService`: its
 * runs are those of puppet.service, whose extra options change Puppet's settings, too.
 */
function puppetOf(options: PuppetRunnerOptions, { isService }: { isService: boolean }) {
  const binary = () => findPuppet({ explicit: options.puppet, path: options.path });
  return {
    binary,
    isService,
    settings() {
      const { extraOptions } = serviceEnvironment(options.environmentFiles);
      const words = isService ? settingWords(extraOptions) : [];
      return puppetSettings({ puppet: binary(), stateDir: options.stateDir, words });
    },
    surroundings() {
      const service = serviceEnvironment(options.environmentFiles);
      for (const warning of service.warnings) options.log.warn({}, warning);
      const env = { ...puppetEnvironment(), ...service.variables, ...options.runEnvironment };
      return { env, extraOptions: service.extraOptions };
    },
    timeLimit({ runtimeout }: PuppetSettings): { timeLimitMs?: number } {
      if (options.runTimeoutMs !== undefined) return { timeLimitMs: options.runTimeoutMs };
      return runtimeout === 0 ? {} : { timeLimitMs: runtimeout * 1000 + GRACE_AFTER_RUNTIMEOUT_MS };
    },
  };
}

async function gateOf(
  { settings, timeLimit }: Pick<ReturnType<typeof puppetOf>, 'settings' | 'timeLimit'>,
  now: number,
): Promise<Gate> {
  let paths: PuppetSettings;
  try {
    paths = await settings();
  } catch {
    return { state: 'free' }; // the plan meets the same error, and there it becomes an outcome
  }
  try {
    const disabled = await readDisabled(paths.agent_disabled_lockfile);
    if (disabled !== undefined) return { state: 'disabled', disabled };
    const holder = await catalogRunHolder(paths.agent_catalog_run_lockfile, now);
    if (holder === undefined) return { state: 'free' };
    return { state: 'held', holder: { ...overLimit(holder, now, timeLimit(paths).timeLimitMs), ...holder } };
  } catch (error) {
    return unclear(error);
  }
}

function overLimit(
  { pid, since = Number.POSITIVE_INFINITY }: Holder,
  now: number,
  timeLimitMs = Number.POSITIVE_INFINITY,
): Pick<Holder, 'stuck' | 'next'> {
  if (pid === undefined || now - since <= timeLimitMs) return {};
  return {
    stuck: `over its time limit of ${formatDuration(timeLimitMs)}`,
    next: `kick leaves it alone, since it did not begin it: look at pid ${pid} there, and end it if it hangs`,
  };
}

async function disabledLockOf(settings: () => Promise<PuppetSettings>): Promise<string> {
  return (await settings()).agent_disabled_lockfile;
}

async function versionOf(settings: () => Promise<PuppetSettings>): Promise<string | undefined> {
  try {
    return (await settings()).version;
  } catch {
    return undefined;
  }
}

async function lastRunOf({
  settings,
  isService,
}: Pick<ReturnType<typeof puppetOf>, 'settings' | 'isService'>): Promise<LastRun | undefined> {
  try {
    const { lastrunreport, environment } = await settings();
    return await lastRunIn(lastrunreport, isService ? environment : undefined);
  } catch {
    return undefined;
  }
}

async function runintervalOf(settings: () => Promise<PuppetSettings>): Promise<number | undefined> {
  try {
    return (await settings()).runinterval * 1000;
  } catch {
    return undefined;
  }
}

async function catalogProblemOf(settings: () => Promise<PuppetSettings>): Promise<string | undefined> {
  try {
    return cachedCatalogProblem(await settings());
  } catch (error) {
    return messageOf(error);
  }
}

async function classesOf(settings: () => Promise<PuppetSettings>): Promise<string[] | undefined> {
  try {
    return readClasses((await settings()).classfile);
  } catch {
    return undefined;
  }
}

function siteOf(
  { environment, tags, skip_tags: skipTags }: PuppetSettings,
  options: readonly string[],
): SiteSettings {
  const isIn = (name: string) =>
    options.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const inOptions = ['environment', 'tags', 'skip_tags', 'noop'].filter(isIn);
  return {
    environment: clip(environment, 128),
    tags: clip(tags, 256),
    skipTags: clip(skipTags, 256),
    inOptions,
  };
}

export function puppetAgentRunner(options: PuppetRunnerOptions): Runner {
  const puppet = puppetOf(options, { isService: true });

  return {
    name: 'puppet-agent',
    title: 'puppet agent',
    puppetVersion: () => versionOf(puppet.settings),
    unsupported: () => [],
    disabledLock: () => disabledLockOf(puppet.settings),
    gate: (now) => gateOf(puppet, now),
    async plan(run, dir, action) {
      const settings = await puppet.settings();
      await requireCachedCatalog(settings, action);
      const { env, extraOptions } = puppet.surroundings();
      const { logdest } = settings;
      return {
        argv: agentArguments({ puppet: puppet.binary(), run, dir, action, logdest, extraOptions }),
        env,
        puppet: {
          lastRunReport: settings.lastrunreport,
          runLock: settings.agent_catalog_run_lockfile,
          disabledLock: settings.agent_disabled_lockfile,
          site: siteOf(settings, extraOptions),
        },
        ...puppet.timeLimit(settings),
      };
    },
    judge: async (ended) => judgePuppet(await evidenceOf(ended)),
    async resources(ended) {
      const { own } = await reportsOf(ended);
      return own === undefined ? [] : resourcesOf(own.path);
    },
    lastRun: () => lastRunOf(puppet),
    runinterval: () => runintervalOf(puppet.settings),
    catalogProblem: () => catalogProblemOf(puppet.settings),
    classes: () => classesOf(puppet.settings),
  };
}

export function puppetApplyRunner(manifest: string, options: PuppetRunnerOptions): Runner {
  const puppet = puppetOf(options, { isService: false });
  return {
    name: 'puppet-apply',
    title: 'puppet apply',
    puppetVersion: () => versionOf(puppet.settings),
    unsupported: (action) =>
      (['useCachedCatalog', 'usecacheonfailure', 'ignoreschedules'] as const).filter(
        (option) => action[option] !== undefined,
      ),
    disabledLock: () => disabledLockOf(puppet.settings),
    gate: (now) => gateOf(puppet, now),
    async plan(_run, dir, action) {
      const settings = await puppet.settings();
      const { env } = puppet.surroundings();
      const { logdest } = settings;
      return {
        argv: applyArguments({ puppet: puppet.binary(), dir, action, manifest, logdest }),
        env,
        ...puppet.timeLimit(settings),
      };
    },
    async judge(ended) {
      const path = join(ended.dir, RUN_FILES.report);
      const head = await readReport(path);
      const report = head && (await withDrift(path, head));
      const hasLog = await exists(join(ended.dir, RUN_FILES.log));
      return judgePuppet({ ...ended, report, hasLog, isApply: true, log: await ended.readLog() });
    },
    resources: (ended) => resourcesOf(join(ended.dir, RUN_FILES.report)),
    lastRun: () => lastRunOf(puppet),
    runinterval: () => runintervalOf(puppet.settings),
    catalogProblem: () => catalogProblemOf(puppet.settings),
    classes: () => classesOf(puppet.settings),
  };
}
