/**
 * The end of an agent whose port systemd holds (DESIGN 6, "Socket activation"), once nothing has needed it for a while: the
 * next connection starts another one.
 */
import type { Rest } from '../../agent/schedule/rest.ts';
import { messageOf } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import type { HttpsListener } from '../../transport/https/listener/listener.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { aborted } from './signals.ts';

/** Milliseconds between looks at what needs it. */
const LOOK_MS = 5000;

export interface IdleExitOptions {
  rest: Rest;
  listener: Pick<HttpsListener, 'inUse' | 'leave'>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  idleMs: number;
  /** Milliseconds between looks at what needs it; defaults to 5 s. */
  lookMs?: number;
}

/** Resolves when `signal` aborts, or, unless `idleMs` is undefined, once nothing needs it: then the exit status says so. */
export async function untilEnd({
  idleMs,
  ...options
}: Omit<IdleExitOptions, 'idleMs'> & { idleMs: number | undefined }): Promise<void> {
  if (idleMs === undefined) return aborted(options.signal);
  await untilIdle({ ...options, idleMs });
  if (!options.signal.aborted) process.exitCode = EXIT.idle;
}

/**
 * Resolves once nothing has needed the agent for `idleMs` and it accepts no more connections, or when `signal` aborts. Only
 * controllers and runs need it: who else connects keeps it for as long as the connection, which has its time limits.
 */
export async function untilIdle(options: IdleExitOptions): Promise<void> {
  const { rest, listener, clock, log, signal, idleMs, lookMs = Math.min(LOOK_MS, idleMs) } = options;
  let since = clock.monotonic();
  let isPrepared = false;

  function isDue(): boolean {
    const { controllerAt = 0 } = listener.inUse();
    const latest = rest.isBusy() ? clock.monotonic() : Math.max(since, controllerAt);
    if (latest !== since) isPrepared = false;
    since = latest;
    return clock.monotonic() - since >= idleMs;
  }

  async function mayEnd(): Promise<boolean> {
    if (!isDue()) return false;
    if (!isPrepared) {
      await rest.prune().catch((error: unknown) => log.error({ error: messageOf(error) }, 'cannot prune'));
      isPrepared = true;
    }
    return !(await rest.isExpected());
  }

  while (!signal.aborted) {
    // In one turn: a connection that has been accepted is counted, and any other one is still systemd's.
    if ((await mayEnd()) && isDue() && listener.inUse().connections === 0) {
      void listener.leave();
      log.info(
        { idle: Math.round(idleMs / 1000) },
        'nothing needs this agent: it ends until the next connection',
      );
      return;
    }
    await sleep(lookMs, signal);
  }
}
