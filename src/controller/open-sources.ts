/**
 * Sources of hosts besides the inventory: PuppetDB, agents, Puppet's CA, programs. Each is loaded with the first question
 * to it: most kicks name their hosts and ask none.
 */
import type { ControllerConfig } from '../config/controller-config.ts';
import { isUntrusted, KickError, messageAndHint } from '../errors.ts';
import { type Site, withSender } from './site.ts';
import type { HostSources, NodeDatabase } from './targeting/host-sources.ts';
import type { Warn } from './targeting/warn.ts';

export interface SourcesOptions
  extends Pick<Site, 'folders' | 'path' | 'clock' | 'identity' | 'openSender' | 'openCrowd'> {
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
      return withSender({ ...sources, config: async () => sources.config }, connectTimeoutMs, (sender) =>
        askAgents(targets, { sender, clock, question }),
      );
    },
    discover: async (asks, options) =>
      (await import('./discover-hosts.ts')).discoverHosts(sources, asks, options),
    signedCertnames: async () => (await import('./puppets-own.ts')).signedCertnames(sources),
    outputOf: async (argv) => (await import('./group-command.ts')).outputOf(argv, sources.warn),
  };
}

/**
 * The PuppetDB of controller.yaml, else Puppet's own; undefined if neither names one. A puppetdb.conf that cannot be read
 * is only a warning until the first question.
 */
async function openDatabase(sources: SourcesOptions): Promise<NodeDatabase | undefined> {
  const { config, clock, identity, warn } = sources;
  if (config.puppetdb === false) return undefined;
  try {
    const urls = config.puppetdb?.urls ?? (await (await import('./puppets-own.ts')).puppetsOwnUrls(sources));
    if (urls === undefined) return undefined;
    return lateDatabase(async () => {
      const { openPuppetDb } = await import('./targeting/puppetdb/client.ts');
      const { nodeDatabase } = await import('./targeting/puppetdb/node-database.ts');
      return nodeDatabase(openPuppetDb({ urls, identity }), { clock, warn });
    });
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    warn(isUntrusted(error) ? messageAndHint(error) : error.message);
    return lateDatabase(() => Promise.reject(error));
  }
}

function lateDatabase(open: () => Promise<NodeDatabase>): NodeDatabase {
  let opened: Promise<NodeDatabase> | undefined;
  const database = () => (opened ??= open());
  return {
    byQuery: async (pql) => (await database()).byQuery(pql),
    byClass: async (name) => (await database()).byClass(name),
    byLast: async (question) => (await database()).byLast(question),
    active: async () => (await database()).active(),
    countBy: async (certnames) => (await database()).countBy(certnames),
    factValues: async (paths, certnames) => (await database()).factValues(paths, certnames),
  };
}
