/** Processes of this machine, or of our own namespace. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Those whose command line names a folder or that have a file below it open (Puppet writes its own title), ourselves not counted. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    return commandOf(pid).includes(folder) || hasOpen(pid, folder) ? [pid] : [];
  });
}

function hasOpen(pid: number, folder: string): boolean {
  const fds = `/proc/${pid}/fd`;
  const leadsBelow = (fd: string) => {
    try {
      return readlinkSync(join(fds, fd)).startsWith(`${folder}/`);
    } catch {
      return false; // it was closed
    }
  };
  try {
    return readdirSync(fds).some(leadsBelow);
  } catch {
    return false; // it is gone
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return ''; // it is gone
  }
}

/** Whether it was there. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Open descriptors and resident memory in MB; undefined for one that is gone. */
export function usageOf(pid: number): { descriptors: number; rssMb: number } | undefined {
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return { descriptors, rssMb: (pages * 4096) / 1e6 };
  } catch {
    return undefined;
  }
}
