/** The processes of a run: which are alive, when Puppet itself started, and its time limit. */
import type { Clock } from '../../util/clock.ts';
import { ageMs, bootId, isAlive, type ProcessId } from '../../util/proc.ts';
import type { RunRecord } from './run-record.ts';

export interface RunProcess {
  /** Puppet itself, once it has started. */
  puppet(): ProcessId | undefined;
  /** Milliseconds since 1970. */
  startedAt(): number | undefined;
  /** Records that Puppet has started. */
  began(started: { process: ProcessId; at: number }): void;
  /** Records that our own wrapper has ended. */
  wrapperEnded(): void;
  /** Whether the wrapper, if it is our own child, has ended. */
  isWrapperGone(): boolean;
  /** Whether nothing of the run is alive. */
  isOver(): boolean;
  lives(process: ProcessId | undefined): boolean;
  /** Milliseconds left; negative after that. By the monotonic clock, so that setting the clock ends no run. */
  leftMs(): number;
}

export function createRunProcess(record: RunRecord, clock: Clock): RunProcess {
  // Start times are relative to the boot; after a reboot nothing of the run is alive.
  const isOfThisBoot = record.boot === bootId();
  const lives = (process: ProcessId | undefined) => isOfThisBoot && process !== undefined && isAlive(process);
  let puppet: ProcessId | undefined;
  let startedAt: number | undefined;
  let endBy = Number.POSITIVE_INFINITY;
  let isWrapperGone = false;
  return {
    puppet: () => puppet,
    startedAt: () => startedAt,
    began({ process, at }) {
      puppet = process;
      startedAt = at;
      const { timeLimitMs = Number.POSITIVE_INFINITY } = record;
      // An agent that comes back counts by the kernel's clock: ours may have been set meanwhile.
      const age = ageMs(process.start) ?? Math.max(0, clock.now() - at);
      endBy = clock.monotonic() + timeLimitMs - age;
    },
    wrapperEnded() {
      isWrapperGone = true;
    },
    isWrapperGone: () => isWrapperGone,
    isOver: () => (isWrapperGone || !lives(record.wrapper)) && !lives(record.inner) && !lives(puppet),
    lives,
    leftMs: () => endBy - clock.monotonic(),
  };
}
