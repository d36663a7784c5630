/** This host's Puppet as its runs use it: the program, its settings and its surroundings. */
import { isUntrusted, type KickError } from '../../errors.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { serviceEnvironment, settingWords } from '../../puppet/service-environment.ts';
import { type PuppetSettings, puppetEnvironment, puppetSettings } from '../../puppet/settings.ts';
import { RUN_FILES, trustedSettings } from '../../puppet/trusted-settings.ts';
import { MAX_DURATION_MS } from '../../util/duration.ts';
import type { Log } from '../../util/log.ts';
import { trustedSearchPath } from '../../util/search-path.ts';
import { trustedPath } from '../../util/trusted-path.ts';
import type { Untrusted } from './runner.ts';

/** How much longer than Puppet's `runtimeout` a run may take before the agent ends it. */
const GRACE_AFTER_RUNTIMEOUT_MS = 5 * 60_000;

export interface PuppetRunnerOptions {
  /** The absolute path of `puppet`; defaults to searching `path`. */
  puppet?: string | undefined;
  /** Where to look for `puppet`, like the variable PATH. */
  path: string;
  stateDir: string;
  /** Variables added to a run's environment (agent.yaml). */
  runEnvironment: Readonly<Record<string, string>>;
  environmentFiles: readonly string[];
  /** Milliseconds (agent.yaml); defaults to Puppet's runtimeout. */
  runTimeoutMs?: number | undefined;
  log: Log;
}

export interface PuppetUse {
  /** Its runs are those of puppet.service, whose extra options affect Puppet's settings as well. */
  isService: boolean;
  /** What `puppet apply` applies. */
  manifest?: string;
}

export type PuppetHere = ReturnType<typeof puppetHere>;

/**
 * Read anew for every run: Puppet may have been installed, upgraded or reconfigured. Its methods throw `KickError`
 * `puppet`, or `untrusted` for what others can change.
 */
export function puppetHere(options: PuppetRunnerOptions, { isService, manifest }: PuppetUse) {
  const { runEnvironment, environmentFiles, log } = options;
  const service = () => serviceEnvironment(environmentFiles);

  function environment() {
    const { variables, extraOptions, warnings } = service();
    const env = { ...puppetEnvironment(), ...variables, ...runEnvironment };
    const { path, leftOut } = trustedSearchPath(runEnvironment['PATH'] ?? variables['PATH']);
    return { env: { ...env, PATH: path }, extraOptions, warnings, leftOut };
  }

  function binary(searchPath?: string): string {
    return findPuppet({ explicit: options.puppet, path: options.path, searchPath });
  }

  async function settings(): Promise<PuppetSettings> {
    const words = isService ? settingWords(service().extraOptions) : [];
    const found = await puppetSettings({ puppet: binary(), stateDir: options.stateDir, words });
    return trustedSettings(found, RUN_FILES);
  }

  function trustedManifest(): string {
    if (manifest === undefined) return '';
    return trustedPath(manifest, { doing: `apply "${manifest}"`, isPuppets: true }).path;
  }

  return {
    isService,
    settings,
    trustedManifest,
    surroundings() {
      const { env, extraOptions, warnings, leftOut } = environment();
      for (const warning of warnings) log.warn({}, warning);
      for (const { message, hint } of leftOut) log.warn({ next: hint }, message);
      return { env, extraOptions, puppet: binary(env.PATH) };
    },
    timeLimit({ runtimeout }: PuppetSettings): { timeLimitMs?: number } {
      if (options.runTimeoutMs !== undefined) return { timeLimitMs: options.runTimeoutMs };
      if (runtimeout === 0) return {};
      return { timeLimitMs: Math.min(runtimeout * 1000 + GRACE_AFTER_RUNTIMEOUT_MS, MAX_DURATION_MS) };
    },
    async untrusted(): Promise<Untrusted[]> {
      const leftOut = trustedSearchPath(runEnvironment['PATH']).leftOut;
      const found = await refusals([binary, service, trustedManifest, settings]);
      return [
        ...found.map((error) => ({ error, isLeftOut: false })),
        ...leftOut.map((error) => ({ error, isLeftOut: true })),
      ];
    },
  };
}

/** The errors `untrusted` of these, each of them once; others are reported elsewhere. */
async function refusals(checks: readonly (() => unknown)[]): Promise<KickError[]> {
  const errors = new Map<string, KickError>();
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      if (isUntrusted(error)) errors.set(error.message, error);
    }
  }
  return [...errors.values()];
}
