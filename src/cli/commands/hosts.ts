/** The hosts of a command line, and warnings about the choice before any of them is asked. */
import type { Command } from 'commander';
import type { Hosts } from '../../controller/choose-hosts.ts';
import type { Controller } from '../../controller/controller.ts';
import type { Inventory } from '../../controller/targeting/inventory.ts';
import type { Chosen } from '../../controller/targeting/selection.ts';
import { KickError } from '../../errors.ts';
import { WAYS, type Way } from '../../protocol/names.ts';
import { exists } from '../../util/files.ts';
import { plural, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { FOLDER_OPTIONS, foldersOf } from '../options/folders.ts';
import { type HostOptions, selectionOf } from '../options/host-options.ts';

export interface PreparedHosts extends Hosts {
  controller: Controller;
}

/** Throws `KickError` for anything that is wrong, before anything is sent. */
export async function prepareHosts(
  words: readonly string[],
  options: HostOptions,
  command: Command,
  context: CommandContext,
): Promise<PreparedHosts> {
  const controller = openControllerOf(command, context);
  const inventory = await controller.inventory();
  await warnOfFolder(command, context);
  warnOfInventory(inventory, options, context);
  await refuseLikelyCommand(words, inventory);
  const selection = await selectionOf(words, options);
  const hosts = await controller.choose(selection, {
    inventory,
    fqdn: options.fqdn,
    port: options.port,
    via: wayOf(options.via),
    connectTimeoutMs: options.connectTimeout,
    warn: (message) => context.terminal.err(`kick: warning: ${safeText(message)}\n`),
  });
  await warnOfUnanswered(hosts, context);
  return { ...hosts, controller };
}

/** Throws `KickError` `usage`. */
function wayOf(text: string | undefined): Way | undefined {
  const way = WAYS.find((one) => one === text);
  if (way !== undefined || text === undefined) return way;
  throw new KickError('usage', `--via: "${text}" is not known`, { hint: `one of ${WAYS.join(', ')}` });
}

/** What consists of letters alone may be a command; names of hosts seldom do. */
async function refuseLikelyCommand(words: readonly string[], inventory: Inventory): Promise<void> {
  if (!words.some((word) => /^[A-Za-z]+$/.test(word))) return;
  (await import('../did-you-mean.ts')).refuseLikelyCommand(words, inventory);
}

/** Without its inventory and its groups a choice may be larger than it was meant to be. */
async function warnOfFolder(command: Command, { terminal, env }: CommandContext): Promise<void> {
  const { configDir, configDirNamed } = foldersOf(command, env);
  if (configDirNamed !== true || (await exists(configDir))) return;
  terminal.err(
    `kick: warning: ${FOLDER_OPTIONS.configDir[0]}: there is no folder "${safeText(configDir)}"\n`,
  );
}

const MAX_WARNINGS = 20;

/** Warnings about the inventory; with --quiet (cron) only those because of which hosts may be missing. */
function warnOfInventory(
  { warnings }: Inventory,
  { quiet }: HostOptions,
  { terminal }: CommandContext,
): void {
  const shown = quiet === true ? warnings.filter(({ isLoss }) => isLoss) : warnings;
  for (const { text } of shown.slice(0, MAX_WARNINGS)) terminal.err(`kick: warning: ${safeText(text)}\n`);
  if (shown.length > MAX_WARNINGS) terminal.err(`  and ${shown.length - MAX_WARNINGS} more warnings\n`);
}

/** Hosts that could not be judged; always reported. */
async function warnOfUnanswered({ unanswered }: Chosen, { terminal }: CommandContext): Promise<void> {
  if (unanswered.length === 0) return;
  const { silentLines } = await import('../../report/silent-hosts.ts');
  const { note } = await import('../print.ts');
  terminal.err(`kick: warning: ${plural(unanswered.length, 'host')} cannot be judged:\n`);
  for (const line of silentLines(unanswered)) note(terminal, `  ${line}\n`);
}
