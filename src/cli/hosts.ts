/** What `kick run` and `kick ping` need before anything is sent: which hosts, who we are, which address. */
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { ControllerConfig } from '../config/controller-config.ts';
import { ControllerConfigSchema } from '../config/controller-config.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import { type Inventory, InventorySchema } from '../controller/inventory.ts';
import { isInInventory, parseNodesFile, resolveTargets } from '../controller/targeting.ts';
import { KickError, messageOf } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import type { Target } from '../transport/transport.ts';
import { systemClock } from '../util/clock.ts';
import { likelyCommand } from './did-you-mean.ts';
import { foldersOf } from './folders.ts';
import { identityPaths } from './identity.ts';
import type { CommandContext } from './program.ts';

export interface HostOptions {
  host?: string[];
  nodesFile?: string[];
  fqdn: boolean;
  port?: number;
  connectTimeout?: number;
}

const MAX_NODES_FILE = 64 << 20;

export function addHostOptions(command: Command): void {
  const several = (value: string, before: string[] = []) => [...before, value];
  command
    .argument('[hosts...]', 'certnames, or names of the inventory')
    .addOption(new Option('--host <name>', 'the same, as an option (repeatable)').argParser(several))
    .addOption(
      new Option('--nodes-file <file>', 'names from a file, one a line, # comments; - is stdin').argParser(
        several,
      ),
    )
    .option('--no-fqdn', "take short names as typed, without the controller's domain");
}

export interface Hosts {
  targets: Target[];
  identity: Identity;
  config: ControllerConfig;
}

/** Throws `KickError` for everything that is wrong before anything was sent. */
export async function prepareHosts(
  words: readonly string[],
  options: HostOptions,
  command: Command,
  { env }: CommandContext,
): Promise<Hosts> {
  const folders = foldersOf(command, env);
  const config = await readConfig(join(folders.configDir, 'controller.yaml'));
  const inventory = await readInventory(join(folders.configDir, 'inventory.yaml'));
  refuseLikelyCommand(words, inventory);
  const names = [...words, ...(options.host ?? []), ...(await namesFromFiles(options.nodesFile ?? []))];
  // First what needs no certificate, so that a typing error is told to whoever may not read the key.
  resolveTargets(names, { inventory, port: config.port });
  const paths = await identityPaths({ ...folders, path: env['PATH'] ?? '' });
  const identity = await loadIdentity(paths, { now: systemClock.now() });
  const domain = options.fqdn
    ? (config.domain ?? domainOf(identity.certname) ?? domainOf(hostname()))
    : undefined;
  const targets = resolveTargets(names, { inventory, domain, port: options.port ?? config.port });
  return { targets, identity, config };
}

async function readConfig(path: string): Promise<ControllerConfig> {
  const found = await readYamlFile(path, ControllerConfigSchema, { what: 'controller configuration' });
  return found ?? (await import('valibot')).parse(ControllerConfigSchema, {});
}

async function readInventory(path: string): Promise<Inventory> {
  const found = await readYamlFile(path, InventorySchema, { what: 'inventory', code: 'inventory' });
  return found ?? { targets: [] };
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

async function namesFromFiles(files: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const file of files)
    names.push(...parseNodesFile(await readNodes(file), file === '-' ? 'stdin' : file));
  return names;
}

async function readNodes(file: string): Promise<string> {
  try {
    if (file === '-') return await readAll(process.stdin);
    const { size } = await stat(file);
    if (size > MAX_NODES_FILE) throw new Error(`it is larger than ${MAX_NODES_FILE} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new KickError('usage', `read the list of nodes "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function domainOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : undefined;
}
