/** The hosts of a command line, and whatever must be said of the choice before any of them is asked. */
import type { Command } from 'commander';
import type { Hosts } from '../../controller/choose-hosts.ts';
import type { Controller } from '../../controller/controller.ts';
import { type Inventory, isInInventory } from '../../controller/targeting/inventory.ts';
import type { Chosen } from '../../controller/targeting/selection.ts';
import { KickError } from '../../errors.ts';
import { plural, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { likelyCommand } from '../did-you-mean.ts';
import { openControllerOf } from '../open-controller.ts';
import { type HostOptions, selectionOf } from '../options/host-options.ts';

export interface PreparedHosts extends Hosts {
  controller: Controller;
}

/** Throws `KickError` for everything that is wrong before anything was sent. */
export async function prepareHosts(
  words: readonly string[],
  options: HostOptions,
  command: Command,
  context: CommandContext,
): Promise<PreparedHosts> {
  const controller = openControllerOf(command, context);
  const inventory = await controller.inventory();
  warnOfInventory(inventory, options, context);
  refuseLikelyCommand(words, inventory);
  const selection = await selectionOf(words, options);
  const hosts = await controller.choose(selection, {
    inventory,
    fqdn: options.fqdn,
    port: options.port,
    connectTimeoutMs: options.connectTimeout,
    warn: (message) => context.terminal.err(`kick: warning: ${safeText(message)}\n`),
  });
  warnOfUnanswered(hosts, context);
  return { ...hosts, controller };
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

const MAX_WARNINGS = 20;

/** What was passed over in the inventory; from cron (--quiet) only what may be missing for it. */
function warnOfInventory(
  { warnings }: Inventory,
  { quiet }: HostOptions,
  { terminal }: CommandContext,
): void {
  const told = quiet === true ? warnings.filter(({ isLoss }) => isLoss) : warnings;
  for (const { text } of told.slice(0, MAX_WARNINGS)) terminal.err(`kick: warning: ${safeText(text)}\n`);
  if (told.length > MAX_WARNINGS) terminal.err(`  and ${told.length - MAX_WARNINGS} more warnings\n`);
}

/** Hosts that could not be judged; always reported. */
function warnOfUnanswered({ unanswered }: Chosen, { terminal }: CommandContext): void {
  if (unanswered.length === 0) return;
  terminal.err(`warning: ${plural(unanswered.length, 'host')} did not answer and cannot be judged:\n`);
  for (const { target, error = '' } of unanswered.slice(0, 20))
    terminal.err(`  ${target.certname}  ${error}\n`);
  if (unanswered.length > 20) terminal.err(`  and ${unanswered.length - 20} more\n`);
}
