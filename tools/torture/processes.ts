/** Processes of this machine, or of our own namespace, by what stands in their command line. */
import { readdirSync, readFileSync } from 'node:fs';

/** Those whose command line has a text, ourselves not counted. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    return Number.isInteger(pid) && pid !== process.pid && commandOf(pid).includes(text) ? [pid] : [];
  });
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
