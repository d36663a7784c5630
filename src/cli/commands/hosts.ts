/** What `kick run`, `kick ping` and `kick nodes` need before anything is sent: which hosts, who we are, which address. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { ControllerConfig } from '../../config/controller-config.ts';
import { readControllerConfig } from '../../config/controller-files.ts';
import { identityOf } from '../../config/identity.ts';
import { type Inventory, isInInventory } from '../../controller/targeting/inventory.ts';
import { readInventory } from '../../controller/targeting/inventory-files.ts';
import { type Chosen, parseAll, type Selection, selectHosts } from '../../controller/targeting/selection.ts';
import { KickError } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { plural, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { likelyCommand } from '../did-you-mean.ts';
import { foldersOf } from '../options/folders.ts';
import { type HostOptions, selectionOf } from '../options/host-options.ts';
import { sourcesOf } from './host-sources.ts';

export interface Hosts extends Chosen {
  selection: Selection;
  inventory: Inventory;
  config: ControllerConfig;
  /** Loaded when it is first asked for; throws `KickError`. */
  identity(): Promise<Identity>;
}

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
  tellInventory(inventory, options, context);
  refuseLikelyCommand(words, inventory);
  const selection = await selectionOf(words, options);
  // First what needs no certificate, so that a typing error is told to whoever may not read the key.
  parseAll(selection);
  const identity = once(() => identityOf(folders, path));
  const warn = (message: string) => context.terminal.err(`kick: warning: ${safeText(message)}\n`);
  const domain = options.fqdn ? (config.domain ?? (await ownDomain(identity))) : undefined;
  const chosen = await selectHosts(selection, {
    inventory,
    domain,
    sources: await sourcesOf({ folders, path, config, identity, options, warn }),
    port: options.port ?? config.port,
    addressFrom: config.address_from?.split('.').slice(1),
    warn,
  });
  tellUnanswered(chosen, context);
  return { ...chosen, selection, inventory, config, identity };
}

/** `kick disable web1` must never be a run on a host called "disable". */
function refuseLikelyCommand([first]: readonly string[], inventory: Inventory): void {
  if (first === undefined || isInInventory(first, inventory)) return;
  const likely = likelyCommand(first);
  if (likely === undefined) return;
  if (likely === first) {
    throw new KickError(
      'usage',
      `"${first}" is a command, and not all that stands before it are its options`,
      {
        hint: `kick ${first} --help lists them; if it is a host: kick --host ${first}`,
      },
    );
  }
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

const MAX_WARNINGS = 20;

/** What was passed over in the inventory; from cron (--quiet) only what may be missing for it. */
function tellInventory({ warnings }: Inventory, { quiet }: HostOptions, { terminal }: CommandContext): void {
  const told = quiet === true ? warnings.filter(({ isLoss }) => isLoss) : warnings;
  for (const { text } of told.slice(0, MAX_WARNINGS)) terminal.err(`kick: warning: ${safeText(text)}\n`);
  if (told.length > MAX_WARNINGS) terminal.err(`  and ${told.length - MAX_WARNINGS} more warnings\n`);
}

/** Whom nobody may overlook. */
function tellUnanswered({ unanswered }: Chosen, { terminal }: CommandContext): void {
  if (unanswered.length === 0) return;
  terminal.err(`warning: ${plural(unanswered.length, 'host')} did not answer and cannot be judged:\n`);
  for (const { target, error = '' } of unanswered.slice(0, 20))
    terminal.err(`  ${target.certname}  ${error}\n`);
  if (unanswered.length > 20) terminal.err(`  and ${unanswered.length - 20} more\n`);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
