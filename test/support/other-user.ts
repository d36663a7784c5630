/** Another user of this machine, as root can play it. */
import { lchownSync } from 'node:fs';

/** Only root can give files away; CI runs as root. */
export const isRoot = process.getuid?.() === 0;

/** Nobody in /etc/passwd has it. */
export const OTHER = 12_345;

/** Gives a file, a folder or a link itself to another user. */
export function giveAway(path: string, uid = OTHER, gid = uid): string {
  lchownSync(path, uid, gid);
  return path;
}
