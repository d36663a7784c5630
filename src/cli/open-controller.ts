/** Opens the controller with the folders and the identity that a command line names. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Controller, openController } from '../controller/controller.ts';
import type { Identity } from '../pki/identity.ts';
import { systemClock } from '../util/clock.ts';
import type { CommandContext } from './context.ts';
import { ownSenders, type SenderOpener } from './open-sender.ts';
import { foldersOf } from './options/folders.ts';
import { version } from './version.ts';

export interface OpenControllerOptions {
  senders?: Pick<SenderOpener, 'openSender' | 'openCrowd'>;
  /** Defaults to the one that is found when it is first needed, for good. */
  identity?: () => Promise<Identity>;
}

/** Throws `KickError` `usage` for a bad folder. Root becomes the owner of the jobs where `kick serve` runs as another user. */
export function openControllerOf(
  command: Command,
  { env }: Pick<CommandContext, 'env'>,
  { senders: { openSender, openCrowd } = ownSenders, ...own }: OpenControllerOptions = {},
): Controller {
  const folders = foldersOf(command, env);
  const path = env['PATH'] ?? '';
  let identity: Promise<Identity> | undefined;
  const loadIdentity = async () => (await import('../config/identity.ts')).loadOwnIdentity(folders, path);
  const ownIdentity = own.identity ?? (() => (identity ??= loadIdentity()));
  return openController({
    enterState: () => enterState(folders.stateDir, ownIdentity),
    folders,
    path,
    version: version(),
    clock: systemClock,
    identity: ownIdentity,
    openSender,
    openCrowd,
  });
}

/**
 * Root becomes the other user, after what only root can read has been read: the key. Throws `KickError` `untrusted` for
 * anybody else.
 */
export async function enterState(stateDir: string, identity: () => Promise<unknown>): Promise<void> {
  const self = process.getuid?.();
  const owner = otherOwner(stateDir);
  if (owner === undefined || owner === self) return;
  // Whoever needs it is told why there is none.
  if (self === 0) await identity().catch(() => {});
  (await import('./become-owner.ts')).becomeOwner(stateDir, owner);
}

/** Whose the controller's folders are, if not root's; whether that is all right costs a module. */
function otherOwner(stateDir: string): number | undefined {
  const owners = ['jobs', 'locks', 'web'].map((name) => ownerOf(join(stateDir, name)));
  return owners.find((uid) => uid !== undefined && uid !== 0);
}

function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined; // whoever uses it is told why it cannot be
  }
}
