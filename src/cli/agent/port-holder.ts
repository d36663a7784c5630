/** Who listens on a TCP port of this machine, as proc(5) tells it to root. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** TCP_LISTEN. */
const LISTENS = '0A';

/** Whether a process listens on a TCP port; false if that cannot be told. */
export async function listensOn(port: number, pid: number): Promise<boolean> {
  const inodes = (await Promise.all(['tcp', 'tcp6'].map((table) => inodesIn(table, port)))).flat();
  if (inodes.length === 0) return false;
  const folder = `/proc/${pid}/fd`;
  const open = await readdir(folder).catch(() => []);
  const targets = await Promise.all(open.map((one) => readlink(`${folder}/${one}`).catch(() => '')));
  return inodes.some((inode) => targets.includes(`socket:[${inode}]`));
}

/** Of the sockets that listen on a port. */
async function inodesIn(table: string, port: number): Promise<string[]> {
  const text = await readFile(`/proc/net/${table}`, 'latin1').catch(() => '');
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === LISTENS && local.endsWith(end))
    .flatMap(([, , , , , , , , , inode]) => (inode === undefined ? [] : [inode]));
}
