/** What the Puppet on this machine knows of hosts: where its PuppetDB is, and which certificates its CA has signed. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isUntrusted, KickError, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { findPuppet } from '../puppet/binary.ts';
import { readPuppetdbConf } from '../puppet/puppetdb-conf.ts';
import { type PuppetSettings, puppetSettings } from '../puppet/settings.ts';
import { CONFIGURATION, trustedSettings } from '../puppet/trusted-settings.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import type { Site } from './site.ts';
import { type Warn, warnOfNames } from './targeting/warn.ts';

export interface PuppetsOwn extends Pick<Site, 'folders' | 'path'> {
  warn: Warn;
}

/** Undefined if Puppet cannot be asked where its puppetdb.conf is. */
export async function puppetsOwnUrls(own: PuppetsOwn): Promise<string[] | undefined> {
  const settings = await settingsIfAny(own);
  return settings === undefined ? undefined : readPuppetdbConf(join(settings.confdir, 'puppetdb.conf'));
}

async function settingsIfAny({ folders, path }: PuppetsOwn): Promise<PuppetSettings | undefined> {
  const { puppet, stateDir } = folders;
  try {
    const settings = await puppetSettings({ puppet: findPuppet({ explicit: puppet, path }), stateDir });
    return trustedSettings(settings, CONFIGURATION);
  } catch (error) {
    if (error instanceof KickError && !isUntrusted(error)) return undefined;
    throw error;
  }
}

/** The folder of Puppet's CA; undefined if Puppet cannot be asked where it would be. */
export async function authorityFolder(own: PuppetsOwn): Promise<string | undefined> {
  const settings = await settingsIfAny(own);
  if (settings === undefined) return undefined;
  const { signeddir } = settings;
  refuseUntrusted(signeddir, { doing: `look for a CA above "${signeddir}"`, isPuppets: true });
  return dirname(signeddir);
}

export async function signedCertnames(own: PuppetsOwn): Promise<string[] | undefined> {
  const settings = await settingsIfAny(own);
  if (settings === undefined) return undefined;
  const { signeddir } = settings;
  refuseUntrusted(signeddir, { doing: `list the certificates in "${signeddir}"`, isPuppets: true });
  let files: string[];
  try {
    files = await readdir(signeddir);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  const names = files.filter((file) => file.endsWith('.pem')).map((file) => file.slice(0, -4));
  const odd = names.filter((name) => !isCertname(name));
  warnOfNames(own.warn, `the signed certificates in ${signeddir}`, odd);
  return names.filter(isCertname).sort();
}
