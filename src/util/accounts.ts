/** The users and groups of this machine, from /etc/passwd and /etc/group. Those of a directory service are not known. */
import { readFileSync } from 'node:fs';

export interface Account {
  name: string;
  uid: number;
  /** The primary group. */
  gid: number;
}

export function accounts(): Account[] {
  return linesOf('/etc/passwd').flatMap(([name = '', , uid = '', gid = '']) =>
    /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [],
  );
}

/** Undefined for users from a directory service. */
export function userName(uid: number): string | undefined {
  return accounts().find((one) => one.uid === uid)?.name;
}

/** Undefined for groups from a directory service. */
export function groupName(gid: number): string | undefined {
  return linesOf('/etc/group').find(([, , id]) => id === String(gid))?.[0];
}

/** The names that a group lists; users whose primary group it is are usually not among them. */
export function groupMembers(gid: number): string[] {
  return linesOf('/etc/group')
    .filter(([, , id]) => id === String(gid))
    .flatMap(([, , , members = '']) => members.split(','))
    .filter((name) => name !== '');
}

/** The groups that list a user. */
export function groupsOf(name: string): number[] {
  return linesOf('/etc/group')
    .filter(([, , gid = '', members = '']) => /^\d+$/.test(gid) && members.split(',').includes(name))
    .map(([, , gid]) => Number(gid));
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
