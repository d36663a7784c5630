/** Whose files are believed (DESIGN 8, "Who may change them"). */
import { type Account, accounts, groupMembers } from './accounts.ts';

export interface Owners {
  trustsUser(uid: number): boolean;
  /** Whether whoever is in a group is trusted. */
  trustsGroup(gid: number): boolean;
  /** The user that kick runs as, for chown: Puppet gives its own files to its user by itself. */
  readonly rightful: string;
}

export interface OwnersOptions {
  /** Whether Puppet's own user counts as well. */
  isPuppets: boolean;
}

/** The users of Puppet Server's packages, to whom Puppet gives its certificates and its state wherever they exist. */
const PUPPET_USERS: readonly string[] = ['puppet', 'pe-puppet'];

/** Lower ones belong to the system. RHEL's sync, shutdown and halt have root's group. */
const FIRST_USER = 1000;

/** Root, the user that kick runs as, and Puppet's own user for its files. */
export function trustedOwners({ isPuppets }: OwnersOptions): Owners {
  const self = process.getuid?.() ?? 0;
  // Read when an owner is neither, which is rare.
  let known: readonly Account[] | undefined;
  const all = () => (known ??= accounts());
  const puppets = () => (isPuppets ? all().filter(({ name }) => PUPPET_USERS.includes(name)) : []);
  const trustsUser = (uid: number) =>
    uid === 0 || uid === self || puppets().some((account) => account.uid === uid);

  function hasOnlyTrusted(gid: number): boolean {
    const members = groupMembers(gid);
    const primary = all().filter((one) => one.gid === gid && (gid !== 0 || one.uid >= FIRST_USER));
    const named = members.map((name) => all().find((one) => one.name === name)?.uid);
    return [...named, ...primary.map(({ uid }) => uid)].every((uid) => uid !== undefined && trustsUser(uid));
  }

  return {
    trustsUser,
    trustsGroup(gid) {
      // Puppet itself lets its group write, again and again: whoever is in it was given Puppet's files.
      if (puppets().some((account) => account.gid === gid)) return true;
      const isOwn = gid === 0 || all().some((one) => one.uid === self && one.gid === gid);
      return isOwn && hasOnlyTrusted(gid);
    },
    get rightful() {
      return all().find(({ uid }) => uid === self)?.name ?? String(self);
    },
  };
}
