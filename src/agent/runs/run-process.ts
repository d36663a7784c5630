/** The processes of a run: which are alive, when Puppet itself began, and its time limit. */
import type { Clock } from '../../util/clock.ts';
import { bootId, isAlive, type ProcessId } from '../../util/proc.ts';
import type { RunRecord } from './run-record.ts';

export interface RunProcess {
  /** Puppet itself, once it has begun. */
  puppet(): ProcessId | undefined;
  /** Milliseconds since 1970. */
  startedAt(): number | undefined;
  /** Puppet has begun. */
  began(started: { process: ProcessId; at: number }): void;
  /** Our own wrapper has ended. */
  wrapperEnded(): void;
  /** Whether our own child, the wrapper, still lives: its end wakes us. */
  isWrapperGone(): boolean;
  /** Whether nothing of the run is alive. */
  isOver(): boolean;
  lives(process: ProcessId | undefined): boolean;
  /** Milliseconds until its time is over; negative after that. By the monotonic clock: a clock that is set ends no run. */
  leftMs(): number;
}

export function createRunProcess(record: RunRecord, clock: Clock): RunProcess {
  // Start times count from the boot: in another one nothing of it is alive.
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
      endBy = clock.monotonic() + timeLimitMs - Math.max(0, clock.now() - at);
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
