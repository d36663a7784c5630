/** Opens the controller with the folders and the identity that a command line names. */
import type { Command } from 'commander';
import { type Controller, openController } from '../controller/controller.ts';
import type { Identity } from '../pki/identity.ts';
import { systemClock } from '../util/clock.ts';
import type { CommandContext } from './context.ts';
import { openSender } from './open-sender.ts';
import { foldersOf } from './options/folders.ts';
import { version } from './version.ts';

/** Throws `KickError` `usage` for a bad folder. */
export function openControllerOf(command: Command, { env }: Pick<CommandContext, 'env'>): Controller {
  const folders = foldersOf(command, env);
  const path = env['PATH'] ?? '';
  let identity: Promise<Identity> | undefined;
  const loadIdentity = async () => (await import('../config/identity.ts')).loadOwnIdentity(folders, path);
  return openController({
    folders,
    path,
    version: version(),
    clock: systemClock,
    identity: () => (identity ??= loadIdentity()),
    openSender,
  });
}
