/** A machine of a test, on which controllers are stopped, killed and put to sleep. */
import { holderOf, type Lease, RENEW_MS, takeLease } from '../../src/controller/jobs/lease.ts';
import type { Machine } from '../../src/controller/jobs/machine.ts';

export const HOSTS = ['a', 'b', 'c'];

/**
 * Its clock, its processes, and what the controllers on it do, step by step.
 * Long because it is one object with one state.
 */
export function machineOf(folder: string) {
  let now = 1_000_000;
  let pids = 0;
  const processes = new Map<number, Process>();
  /** What is in the job's log: hosts that may have been asked. */
  const asked = new Set<string>();
  const sends: { host: string; isLate: boolean }[] = [];

  interface Process {
    isStopped: boolean;
    isTaking: boolean;
    lease?: Lease | undefined;
    /** The host whose request is signed and logged, and not sent yet. */
    next?: string | undefined;
    sleepers: { until: number; wake(): void }[];
  }

  const seen = (pid: number): Machine => ({
    monotonicMs: () => now,
    self: () => ({ boot: 'boot', space: 'pid', pid, start: '1' }),
    isAlive: (other) => processes.has(other.pid),
    sleep: (ms) => new Promise((wake) => processes.get(pid)?.sleepers.push({ until: now + ms, wake })),
  });

  /** What a process does when it is let run. */
  function wakeUp(process: Process): void {
    if (process.isStopped) return;
    process.lease?.renew();
    const due = process.sleepers.filter(({ until }) => until <= now);
    process.sleepers = process.sleepers.filter(({ until }) => until > now);
    for (const { wake } of due) wake();
  }

  const settle = () => new Promise((resolve) => setImmediate(resolve));

  return {
    pids: () => [...processes.keys()],
    sends,
    holders: () => [...processes.values()].filter(({ lease }) => lease?.isHeld() === true).length,
    watch: () => holderOf(folder, seen(0)),
    begin(): void {
      pids += 1;
      processes.set(pids, { isStopped: false, isTaking: false, sleepers: [] });
    },
    async take(pid: number): Promise<void> {
      const process = processes.get(pid);
      if (process === undefined || process.isStopped || process.isTaking || process.lease !== undefined)
        return;
      process.isTaking = true;
      void takeLease(folder, seen(pid)).then((taken) => {
        process.isTaking = false;
        if ('lost' in taken && processes.get(pid) === process) process.lease = taken;
      });
      await settle();
    },
    /** Half a dispatch: look for a successor and log the request, or send what was logged. */
    step(pid: number): void {
      const process = processes.get(pid);
      if (process?.lease === undefined || process.isStopped) return;
      if (process.next !== undefined) {
        const host = process.next;
        sends.push({ host, isLate: !process.lease.isHeld() });
        process.next = undefined;
        return;
      }
      const host = HOSTS.find((one) => !asked.has(one));
      if (host === undefined || !process.lease.isHeld()) return;
      asked.add(host);
      process.next = host;
    },
    stop(pid: number): void {
      const process = processes.get(pid);
      if (process !== undefined) process.isStopped = true;
    },
    async go(pid: number): Promise<void> {
      const process = processes.get(pid);
      if (process === undefined) return;
      process.isStopped = false;
      await settle();
    },
    kill: (pid: number) => void processes.delete(pid),
    release(pid: number): void {
      const process = processes.get(pid);
      if (process === undefined || process.isStopped || process.next !== undefined) return;
      process.lease?.release();
      process.lease = undefined;
    },
    async pass(ms: number): Promise<void> {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + RENEW_MS);
        for (const process of processes.values()) wakeUp(process);
        await settle();
      }
    },
    /** A jump of the clock in which nothing ran: a virtual machine that was frozen. */
    jump(ms: number): void {
      now += ms;
    },
  };
}
