/** Puppet's own files that kick believes: where they are is Puppet's choice, whose they are is not. */
import { refuseUntrusted } from '../util/trusted-path.ts';
import type { PuppetSettings } from './settings.ts';

/** puppet.conf, by which Puppet chooses all others. */
export const CONFIGURATION = ['config'] as const;

/** Also the files from which kick reads how a run went and what holds one up. */
export const RUN_FILES = [
  ...CONFIGURATION,
  'agent_catalog_run_lockfile',
  'agent_disabled_lockfile',
  'lastrunreport',
  'classfile',
  'client_datadir',
] as const;

/** Returns the settings. Throws `KickError` `untrusted` if others than Puppet's own user could change one of these files. */
export function trustedSettings(
  settings: PuppetSettings,
  names: readonly (typeof RUN_FILES)[number][],
): PuppetSettings {
  for (const name of names) {
    const path = settings[name];
    refuseUntrusted(path, { doing: `believe Puppet's ${name} "${path}"`, isPuppets: true });
  }
  return settings;
}
