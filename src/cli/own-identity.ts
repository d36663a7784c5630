/** Who we are, for a command that lasts: its job may outlive our certificate, so the files are looked at again while it asks. */
import { type IdentityChoice, identityPaths } from '../config/identity.ts';
import { messageAndHint } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import type { Clock } from '../util/clock.ts';
import { stampOf } from '../util/file-stamps.ts';

/** Milliseconds between looks at the files. */
const LOOK_MS = 5000;

export interface FollowOptions {
  clock: Clock;
  /** Says once why new files cannot be used, while the old identity still is. */
  warn: (text: string) => void;
}

/** Returns what returns the newest identity that can be used; `first` itself while the files say the same. */
export async function followIdentity(
  choice: IdentityChoice,
  first: Identity,
  { clock, warn }: FollowOptions,
): Promise<() => Promise<Identity>> {
  const paths = await identityPaths(choice);
  let current = first;
  let seen = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking = Promise.resolve();
  let told = '';

  async function look(): Promise<void> {
    const stamp = await stampOf(Object.values({ ...paths }));
    if (stamp === seen) return;
    try {
      const next = await loadIdentity(paths, { now: clock.now() });
      if (!isSame(next, current)) current = next;
      seen = stamp;
    } catch (error) {
      const why = messageAndHint(error);
      if (why !== told) warn(`cannot use the new certificates, the old ones stay: ${why}`);
      told = why;
    }
  }

  return async () => {
    if (clock.monotonic() - lookedAt >= LOOK_MS) {
      lookedAt = clock.monotonic();
      looking = looking.then(look);
    }
    await looking;
    return current;
  };
}

function isSame(one: Identity, other: Identity): boolean {
  const said = ({ chain, ca, crls, key }: Identity) =>
    [...chain, ...ca, ...crls, key.export({ type: 'pkcs8', format: 'pem' })].join('\n');
  return said(one) === said(other) && one.denied === undefined && other.denied === undefined;
}
