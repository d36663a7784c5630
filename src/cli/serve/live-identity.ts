/** Our identity in a process that lives for long: certificates are renewed and CRLs replaced meanwhile. */
import { type IdentityChoice, identityPaths } from '../../config/identity.ts';
import type { Identity, IdentityPaths } from '../../pki/identity.ts';
import { type IdentityWatchOptions, watchIdentity } from '../../pki/identity-store.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { systemClock } from '../../util/clock.ts';

export interface LiveIdentity {
  /** The newest that can be used. Throws like `loadOwnIdentity` while there has been none. */
  get(): Promise<Identity>;
  /** From now on it follows its files. Throws like `get`. */
  follow(options: IdentityWatchOptions, onChange: () => void): Promise<void>;
}

export function liveIdentity(choice: IdentityChoice): LiveIdentity {
  let current: Promise<{ paths: IdentityPaths; identity: Identity }> | undefined;

  const load = async () => {
    const paths = await identityPaths(choice);
    return { paths, identity: await loadIdentity(paths, { now: systemClock.now() }) };
  };
  const now = () => (current ??= load());

  return {
    get: async () => (await now()).identity,
    async follow(options, onChange) {
      const { paths, identity: first } = await now();
      watchIdentity(paths, first, {
        ...options,
        onChange(identity) {
          current = Promise.resolve({ paths, identity });
          onChange();
        },
      });
    },
  };
}
