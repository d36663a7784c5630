/** What `kick run`, `kick ping` and `kick nodes` need before anything is sent: which hosts, who we are, which address. */
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ControllerConfig } from '../config/controller-config.ts';
import type { HostSources, NodeDatabase } from '../controller/host-sources.ts';
import { type Inventory, isInInventory } from '../controller/inventory.ts';
import { type Chosen, parseAll, type Selection, selectHosts } from '../controller/selection.ts';
import { KickError, systemCode } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import { isCertname } from '../protocol/names.ts';
import { findPuppet } from '../puppet/binary.ts';
import { readPuppetdbConf } from '../puppet/puppetdb-conf.ts';
import { puppetEnvironment, puppetSettings } from '../puppet/settings.ts';
import { systemClock } from '../util/clock.ts';
import { outputOf } from '../util/program-output.ts';
import { plural } from '../util/text.ts';
import { whoElseCanWrite } from '../util/trusted-path.ts';
import { readControllerConfig, readInventory } from './controller-files.ts';
import { likelyCommand } from './did-you-mean.ts';
import { type Folders, foldersOf } from './folders.ts';
import { type HostOptions, selectionOf } from './host-options.ts';
import { identityOf } from './identity.ts';
import type { CommandContext } from './program.ts';

export interface Hosts extends Chosen {
  selection: Selection;
  inventory: Inventory;
  config: ControllerConfig;
  /** Loaded when it is first asked for; throws `KickError`. */
  identity(): Promise<Identity>;
}

/** Of a group's command: seconds it may take, bytes it may print. */
const COMMAND_LIMITS = { timeoutMs: 30_000, maxBytes: 16 << 20 };

/** Throws `KickError` for everything that is wrong before anything was sent. */
export async function prepareHosts(
  words: readonly string[],
  options: HostOptions,
  command: Command,
  context: CommandContext,
): Promise<Hosts> {
  const { env } = context;
  const folders = foldersOf(command, env);
  const path = env['PATH'] ?? '';
  const config = await readControllerConfig(folders.configDir);
  const inventory = await readInventory(folders.configDir, config);
  refuseLikelyCommand(words, inventory);
  const selection = await selectionOf(words, options);
  // First what needs no certificate, so that a typing error is told to whoever may not read the key.
  parseAll(selection);
  const identity = once(() => identityOf(folders, path));
  const domain = options.fqdn ? (config.domain ?? (await ownDomain(identity))) : undefined;
  const chosen = await selectHosts(selection, {
    inventory,
    domain,
    sources: await sourcesOf({ folders, path, config, identity, options }),
    port: options.port ?? config.port,
    addressFrom: config.address_from?.split('.').slice(1),
  });
  tellUnanswered(chosen, context);
  return { ...chosen, selection, inventory, config, identity };
}

/** `kick disable web1` must never be a run on a host called "disable". */
function refuseLikelyCommand([first]: readonly string[], inventory: Inventory): void {
  if (first === undefined || isInInventory(first, inventory)) return;
  const likely = likelyCommand(first);
  if (likely === undefined) return;
  throw new KickError(
    'usage',
    `"${first}" is neither a command nor a host of the inventory: did you mean "${likely}"`,
    {
      hint: `kick --help lists the commands; if it is a host: kick --host ${first}`,
    },
  );
}

/** That of our certname; where there is no certificate that we may read, the host's. */
async function ownDomain(identity: () => Promise<Identity>): Promise<string | undefined> {
  try {
    const { certname } = await identity();
    return domainOf(certname) ?? domainOf(hostname());
  } catch (error) {
    if (error instanceof KickError) return domainOf(hostname());
    throw error;
  }
}

function domainOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : undefined;
}

/** Whom nobody may overlook. */
function tellUnanswered({ unanswered }: Chosen, { terminal }: CommandContext): void {
  if (unanswered.length === 0) return;
  terminal.err(`warning: ${plural(unanswered.length, 'host')} did not answer and cannot be judged:\n`);
  for (const { target, error = '' } of unanswered.slice(0, 20))
    terminal.err(`  ${target.certname}  ${error}\n`);
  if (unanswered.length > 20) terminal.err(`  and ${unanswered.length - 20} more\n`);
}

// ---------------------------------------------------------------- whom the choice asks

interface SourcesOptions {
  folders: Folders;
  path: string;
  config: ControllerConfig;
  identity(): Promise<Identity>;
  options: HostOptions;
}

async function sourcesOf(sources: SourcesOptions): Promise<HostSources> {
  const { folders, path, identity, options } = sources;
  const database = await databaseOf(sources);
  return {
    database,
    async askAgents(targets, question) {
      const { httpsSender } = await import('../transport/https/client.ts');
      const { askAgents } = await import('../controller/ask-agents.ts');
      const { connectTimeout } = options;
      const sender = httpsSender({
        identity: await identity(),
        ...(connectTimeout !== undefined && { connectTimeoutMs: connectTimeout }),
      });
      try {
        return await askAgents(targets, { sender, clock: systemClock, question });
      } finally {
        sender.close();
      }
    },
    signedCertnames: () => signedCertnames(folders, path),
    async outputOf(argv) {
      const [program = ''] = argv;
      const other = whoElseCanWrite(program);
      if (other !== undefined) throw new Error(`it would run as you, but ${other}`);
      return (await outputOf(argv, { ...COMMAND_LIMITS, env: puppetEnvironment() })).toString('utf8');
    },
  };
}

/** That of controller.yaml, else Puppet's own; none where neither names one. */
async function databaseOf({
  folders,
  path,
  config,
  identity,
}: SourcesOptions): Promise<NodeDatabase | undefined> {
  if (config.puppetdb === false) return undefined;
  const urls = config.puppetdb?.urls ?? (await puppetsOwnUrls(folders, path));
  if (urls === undefined) return undefined;
  const [{ openPuppetDb }, { nodeDatabase }] = await Promise.all([
    import('../controller/puppetdb.ts'),
    import('../controller/node-database.ts'),
  ]);
  return nodeDatabase(openPuppetDb({ urls, identity }), systemClock);
}

/** Where Puppet cannot be asked there is no puppetdb.conf of its. */
async function puppetsOwnUrls({ puppet, stateDir }: Folders, path: string): Promise<string[] | undefined> {
  let confdir: string;
  try {
    ({ confdir } = await puppetSettings({ puppet: findPuppet({ explicit: puppet, path }), stateDir }));
  } catch (error) {
    if (error instanceof KickError) return undefined;
    throw error;
  }
  return readPuppetdbConf(join(confdir, 'puppetdb.conf'));
}

async function signedCertnames({ puppet, stateDir }: Folders, path: string): Promise<string[] | undefined> {
  try {
    const settings = await puppetSettings({ puppet: findPuppet({ explicit: puppet, path }), stateDir });
    const files = await readdir(settings.signeddir);
    return files
      .filter((file) => file.endsWith('.pem'))
      .map((file) => file.slice(0, -4))
      .filter(isCertname)
      .sort();
  } catch (error) {
    if (error instanceof KickError || ['ENOENT', 'EACCES', 'ENOTDIR'].includes(systemCode(error) ?? '')) {
      return undefined;
    }
    throw error;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
