/**
 * POSIX ACLs. Under one, the group's bits of a mode are its mask: they say what the named users and groups have at most,
 * not what the owning group has. Node cannot read ACLs; `ls` says whether there is one, and `getfacl` for whom.
 */
import { spawnSync } from 'node:child_process';
import type { Stats } from 'node:fs';

/** Whom an ACL lets write, besides the owner, the owning group and everybody. */
export interface NamedWriters {
  users: number[];
  groups: number[];
}

/** GNU's place for the programs; where they are elsewhere (NixOS), it cannot be told. */
const LS = '/bin/ls';
const GETFACL = '/usr/bin/getfacl';

/** Milliseconds: a program that hangs says nothing. */
const ANSWER_MS = 10_000;

/** What was found, by a file's inode and the time of its latest change, which a changed ACL is as well. */
const known = new Map<string, NamedWriters>();

/** Milliseconds: a later change may bear the same time. */
const TICK_MS = 1000;

/**
 * Whom the ACL of a file lets write, if the group's bits of its mode have `w` (without, an ACL lets nobody). Undefined if
 * that cannot be told. Starts a program or two, once for each file: on a Puppet server every certificate lies below one
 * folder that Puppet's group can write.
 */
export function namedWriters(path: string, { dev, ino, ctimeMs }: Stats): NamedWriters | undefined {
  const key = `${dev}:${ino}:${ctimeMs}`;
  const found = known.get(key) ?? look(path);
  if (found !== undefined && Date.now() - ctimeMs > TICK_MS) known.set(key, found);
  return found;
}

function look(path: string): NamedWriters | undefined {
  // BusyBox says nothing of ACLs, and does not know the long option.
  const listed = answerOf(LS, ['-nd', '--quoting-style=literal', '--', path]);
  const sign = /^[-a-zA-Z]{10}(.)/.exec(listed ?? '')?.[1];
  // "." is a context of SELinux alone.
  if (sign === ' ' || sign === '.') return { users: [], groups: [] };
  if (sign !== '+') return undefined;
  const entries = answerOf(GETFACL, ['--access', '-cnpE', '--', path]);
  return entries === undefined ? undefined : writersIn(entries);
}

/** The lines `user:1001:rw-` and `group:50:rwx`. */
function writersIn(entries: string): NamedWriters {
  const idsOf = (kind: string) =>
    [...entries.matchAll(new RegExp(`^${kind}:(\\d+):.w.`, 'gm'))].map(([, id]) => Number(id));
  return { users: idsOf('user'), groups: idsOf('group') };
}

function answerOf(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, {
    cwd: '/',
    env: { LC_ALL: 'C' },
    encoding: 'utf8',
    timeout: ANSWER_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : undefined;
}
