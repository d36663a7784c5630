/** The two Puppet runners: `puppet agent --onetime`, and `puppet apply` with a fixed manifest. */
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import type { LastRun } from '../../protocol/status.ts';
import type { PuppetSettings } from '../../puppet/settings.ts';
import { formatDuration } from '../../util/duration.ts';
import { exists } from '../../util/files.ts';
import { clip } from '../../util/text.ts';
import { judgePuppet } from '../judge/judge.ts';
import { cachedCatalogProblem, requireCachedCatalog } from '../puppet/cached-catalog.ts';
import { agentArguments, applyArguments } from '../puppet/command.ts';
import { readDisabled } from '../puppet/disabled-lock.ts';
import { lastRunIn, readClasses } from '../puppet/last-run.ts';
import { catalogRunHolder } from '../puppet/lock-files.ts';
import { readReport, withDrift } from '../puppet/report.ts';
import { resourcesOf } from '../puppet/report-resources.ts';
import { fitsSum, notedSum } from '../puppet/report-sum.ts';
import { evidenceOf, reportsOf } from '../puppet/run-evidence.ts';
import { RUN_FILES } from '../runs/run-files.ts';
import type { SiteSettings } from '../runs/run-record.ts';
import { type PuppetHere, type PuppetRunnerOptions, puppetHere } from './puppet-here.ts';
import { type Gate, type Runner, unclear } from './runner.ts';

async function gateOf(
  { settings, timeLimit }: Pick<PuppetHere, 'settings' | 'timeLimit'>,
  now: number,
): Promise<Gate> {
  let paths: PuppetSettings;
  try {
    paths = await settings();
  } catch {
    return { state: 'free' }; // planning the run meets the same error and turns it into an outcome
  }
  try {
    const disabled = await readDisabled(paths.agent_disabled_lockfile);
    if (disabled !== undefined) return { state: 'disabled', disabled };
    const holder = await catalogRunHolder(paths.agent_catalog_run_lockfile, now);
    if (holder === undefined) return { state: 'free' };
    const late = holder.stuck === undefined ? overLimit(holder, now, timeLimit(paths).timeLimitMs) : {};
    return { state: 'held', holder: { ...holder, ...late } };
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
    next: `kick did not start it and leaves it alone: check pid ${pid} there, and end it if it hangs`,
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
}: Pick<PuppetHere, 'settings' | 'isService'>): Promise<LastRun | undefined> {
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
  const puppet = puppetHere(options, { isService: true });

  return {
    name: 'puppet-agent',
    title: 'puppet agent',
    puppetVersion: () => versionOf(puppet.settings),
    unsupported: () => [],
    disabledLock: () => disabledLockOf(puppet.settings),
    gate: (now) => gateOf(puppet, now),
    async plan({ run, dir, action }) {
      const settings = await puppet.settings();
      await requireCachedCatalog(settings, action);
      const { env, extraOptions, puppet: program } = puppet.surroundings();
      const { logdest } = settings;
      return {
        argv: agentArguments({ puppet: program, run, dir, action, logdest, extraOptions }),
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
    untrusted: puppet.untrusted,
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

const isReportWhole = async (dir: string) => fitsSum(join(dir, RUN_FILES.report), await notedSum(dir));

export function puppetApplyRunner(manifest: string, options: PuppetRunnerOptions): Runner {
  const puppet = puppetHere(options, { isService: false, manifest });
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
    async plan({ dir, action }) {
      const settings = await puppet.settings();
      const { env, puppet: program } = puppet.surroundings();
      const { logdest } = settings;
      return {
        argv: applyArguments({
          puppet: program,
          ...{ dir, action, logdest, manifest: puppet.trustedManifest() },
        }),
        env,
        ...puppet.timeLimit(settings),
      };
    },
    untrusted: puppet.untrusted,
    async judge(ended) {
      const path = join(ended.dir, RUN_FILES.report);
      const isReportDamaged = !(await isReportWhole(ended.dir));
      const head = isReportDamaged ? undefined : await readReport(path);
      const report = head && (await withDrift(path, head));
      const hasLog = await exists(join(ended.dir, RUN_FILES.log));
      const log = await ended.readLog();
      return judgePuppet({ ...ended, report, isReportDamaged, hasLog, isApply: true, log });
    },
    resources: async ({ dir }) =>
      (await isReportWhole(dir)) ? resourcesOf(join(dir, RUN_FILES.report)) : [],
    lastRun: () => lastRunOf(puppet),
    runinterval: () => runintervalOf(puppet.settings),
    catalogProblem: () => catalogProblemOf(puppet.settings),
    classes: () => classesOf(puppet.settings),
  };
}
