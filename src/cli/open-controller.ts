/** Opens the controller with the folders and the identity that a command line names. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { IdentityChoice } from '../config/identity.ts';
import { type Controller, openController } from '../controller/controller.ts';
import type { Identity } from '../pki/identity.ts';
import { systemClock } from '../util/clock.ts';
import type { CommandContext } from './context.ts';
import { ownSenders, type SenderOpener } from './open-sender.ts';
import { foldersOf } from './options/folders.ts';
import { version } from './version.ts';

export interface OpenControllerOptions {
  senders?: Pick<SenderOpener, 'openSender' | 'openCrowd'>;
  /** Defaults to the one that is found when it is first needed, and that follows its files. */
  identity?: () => Promise<Identity>;
}

/** Throws `KickError` `usage` for a bad folder. Root becomes the owner of the jobs where `kick serve` runs as another user. */
export function openControllerOf(
  command: Command,
  { env, terminal }: Pick<CommandContext, 'env'> & Partial<Pick<CommandContext, 'terminal'>>,
  { senders: { openSender, openCrowd } = ownSenders, ...own }: OpenControllerOptions = {},
): Controller {
  const folders = foldersOf(command, env);
  const path = env['PATH'] ?? '';
  const warn = (text: string) => terminal?.err(`warning: ${text}\n`);
  const ownIdentity = own.identity ?? identityOf({ ...folders, path }, warn);
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

/** Milliseconds for which nobody looks whether the files have changed: most commands are over by then. */
const SOON_MS = 5000;

function identityOf(choice: IdentityChoice, warn: (text: string) => void): () => Promise<Identity> {
  const clock = systemClock;
  let first: Promise<Identity> | undefined;
  let followed: Promise<() => Promise<Identity>> | undefined;
  let loadedAt = 0;
  const load = async () => (await import('../config/identity.ts')).loadOwnIdentity(choice, choice.path);
  const follow = async (from: Identity) => {
    try {
      return await (await import('./own-identity.ts')).followIdentity(choice, from, { clock, warn });
    } catch {
      return async () => from; // as the user that root has become, who may not find them
    }
  };
  return async () => {
    if (first === undefined) {
      loadedAt = clock.monotonic();
      first = load();
    }
    if (clock.monotonic() - loadedAt < SOON_MS) return first;
    followed ??= first.then(follow);
    return (await followed)();
  };
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
