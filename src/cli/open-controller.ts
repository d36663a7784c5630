/** Opens the controller with the folders and the identity that a command line names. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Controller, openController } from '../controller/controller.ts';
import type { Identity } from '../pki/identity.ts';
import { systemClock } from '../util/clock.ts';
import type { CommandContext } from './context.ts';
import { openSender } from './open-sender.ts';
import { foldersOf } from './options/folders.ts';
import { version } from './version.ts';

/** Throws `KickError` `usage` for a bad folder. Root becomes the owner of the jobs where `kick serve` runs as another user. */
export function openControllerOf(command: Command, { env }: Pick<CommandContext, 'env'>): Controller {
  const folders = foldersOf(command, env);
  const path = env['PATH'] ?? '';
  let identity: Promise<Identity> | undefined;
  const loadIdentity = async () => (await import('../config/identity.ts')).loadOwnIdentity(folders, path);
  const ownIdentity = () => (identity ??= loadIdentity());
  return openController({
    enterState: () => enterState(folders.stateDir, ownIdentity),
    folders,
    path,
    version: version(),
    clock: systemClock,
    identity: ownIdentity,
    openSender,
    openCrowd: async (options) => (await import('./open-broker.ts')).openCrowd(options),
  });
}

/** What only root can read is read before: the key. */
export async function enterState(stateDir: string, identity: () => Promise<unknown>): Promise<void> {
  if (process.getuid?.() !== 0 || !isOthers(stateDir)) return;
  // Whoever needs it is told why there is none.
  await identity().catch(() => {});
  (await import('./become-owner.ts')).becomeOwner(stateDir);
}

/** Whether root has to look closer, which costs a module. */
function isOthers(stateDir: string): boolean {
  return ['jobs', 'locks', 'web'].some(
    (name) => (lstatSync(join(stateDir, name), { throwIfNoEntry: false })?.uid ?? 0) !== 0,
  );
}
