/** What a lease must know of the machine; a parameter, so that tests can suspend it and kill its processes. */
import { readlinkSync } from 'node:fs';
import { sleep } from '../../util/clock.ts';
import { bootId, identify, isAlive, type ProcessId } from '../../util/proc.ts';

export interface ProcessPlace extends ProcessId {
  boot: string;
  /** The namespace in which the process id counts (pid_namespaces(7)). */
  space: string;
}

export interface Machine {
  /** Milliseconds of CLOCK_MONOTONIC, the same in all processes; it stands still while the machine is suspended. */
  monotonicMs(): number;
  self(): ProcessPlace;
  isAlive(process: ProcessId): boolean;
  sleep(ms: number): Promise<void>;
}

export const thisMachine: Machine = {
  // Neither performance.now(), which begins with the process, nor /proc/uptime, which counts the sleep.
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  self: () => ({
    boot: bootId(),
    space: pidSpace(),
    pid: process.pid,
    start: identify(process.pid)?.start ?? '',
  }),
  isAlive,
  sleep: (ms) => sleep(ms),
};

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
