/** What the choice of hosts asks beside the inventory: PuppetDB, agents, Puppet's CA, programs. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControllerConfig } from '../config/controller-config.ts';
import { KickError, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { findPuppet } from '../puppet/binary.ts';
import { readPuppetdbConf } from '../puppet/puppetdb-conf.ts';
import { type PuppetSettings, puppetEnvironment, puppetSettings } from '../puppet/settings.ts';
import { outputOf } from '../util/program-output.ts';
import { whoElseCanWrite } from '../util/trusted-path.ts';
import { type Site, withSender } from './site.ts';
import type { HostSources, NodeDatabase } from './targeting/host-sources.ts';
import type { PuppetDb } from './targeting/puppetdb/client.ts';
import { type Warn, warnOfNames } from './targeting/warn.ts';

/** Of a group's command: milliseconds it may take, bytes it may print. */
const COMMAND_LIMITS = { timeoutMs: 30_000, maxBytes: 16 << 20 };

export interface SourcesOptions extends Pick<Site, 'folders' | 'path' | 'clock' | 'identity' | 'openSender'> {
  config: ControllerConfig;
  connectTimeoutMs: number | undefined;
  warn: Warn;
}

export async function openSources(sources: SourcesOptions): Promise<HostSources> {
  const { clock, connectTimeoutMs } = sources;
  return {
    database: await openDatabase(sources),
    async askAgents(targets, question) {
      const { askAgents } = await import('./fleet/ask-agents.ts');
      return withSender(sources, connectTimeoutMs, (sender) =>
        askAgents(targets, { sender, clock, question }),
      );
    },
    signedCertnames: () => signedCertnames(sources),
    async outputOf(argv) {
      const [program = ''] = argv;
      const other = whoElseCanWrite(program);
      if (other !== undefined) throw new Error(`it would run as you, but ${other}`);
      return (await outputOf(argv, { ...COMMAND_LIMITS, env: puppetEnvironment() })).toString('utf8');
    },
  };
}

/**
 * That of controller.yaml, else Puppet's own; none where neither names one. It is opened when it is asked: a
 * puppetdb.conf that cannot be read is a warning until then.
 */
async function openDatabase(sources: SourcesOptions): Promise<NodeDatabase | undefined> {
  const { config, clock, identity, warn } = sources;
  if (config.puppetdb === false) return undefined;
  let puppetDb: PuppetDb;
  try {
    const urls = config.puppetdb?.urls ?? (await puppetsOwnUrls(sources));
    if (urls === undefined) return undefined;
    const { openPuppetDb } = await import('./targeting/puppetdb/client.ts');
    puppetDb = openPuppetDb({ urls, identity });
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    warn(error.message);
    puppetDb = { query: () => Promise.reject(error) };
  }
  const { nodeDatabase } = await import('./targeting/puppetdb/node-database.ts');
  return nodeDatabase(puppetDb, { clock, warn });
}

/** Where Puppet cannot be asked there is no puppetdb.conf of its. */
async function puppetsOwnUrls(sources: SourcesOptions): Promise<string[] | undefined> {
  const settings = await settingsIfAny(sources);
  return settings === undefined ? undefined : readPuppetdbConf(join(settings.confdir, 'puppetdb.conf'));
}

async function settingsIfAny({ folders, path }: SourcesOptions): Promise<PuppetSettings | undefined> {
  const { puppet, stateDir } = folders;
  try {
    return await puppetSettings({ puppet: findPuppet({ explicit: puppet, path }), stateDir });
  } catch (error) {
    if (error instanceof KickError) return undefined;
    throw error;
  }
}

async function signedCertnames(sources: SourcesOptions): Promise<string[] | undefined> {
  const settings = await settingsIfAny(sources);
  if (settings === undefined) return undefined;
  const { signeddir } = settings;
  let files: string[];
  try {
    files = await readdir(signeddir);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  const names = files.filter((file) => file.endsWith('.pem')).map((file) => file.slice(0, -4));
  const odd = names.filter((name) => !isCertname(name));
  warnOfNames(sources.warn, `the signed certificates in ${signeddir}`, odd);
  return names.filter(isCertname).sort();
}
