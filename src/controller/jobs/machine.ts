/** What a lease needs from the machine; a parameter, so that tests can suspend it and kill its processes. */
import { readlinkSync } from 'node:fs';
import { sleep } from '../../util/clock.ts';
import { bootId, identify, isAlive, type ProcessId } from '../../util/proc.ts';

export interface ProcessPlace extends ProcessId {
  boot: string;
  /** The namespace of the process id (pid_namespaces(7)). */
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
  // Neither performance.now(), which starts with the process, nor /proc/uptime, which includes sleep.
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
