/** Reporters apart from the job that they report: one that throws is reported once and left out, and the job goes on. */
import type { Reporter } from './reporter.ts';

/** Makes what a reporter does by itself, from a timer or on an event of a stream, as harmless as the rest. */
export type Guard = <A extends unknown[]>(work: (...args: A) => void) => (...args: A) => void;

/**
 * Opens a reporter whose methods never throw. `onTrouble` is called once, with what went wrong first; the reporter is then
 * closed, and does nothing more. Throws what `open` throws.
 */
export async function isolated(
  open: (guard: Guard) => Reporter | Promise<Reporter>,
  onTrouble: (error: unknown) => void,
): Promise<Reporter> {
  let inner: Reporter | undefined;
  let isBroken = false;

  const guard: Guard =
    (work) =>
    (...args) => {
      if (isBroken) return;
      try {
        work(...args);
      } catch (error) {
        isBroken = true;
        giveUp();
        onTrouble(error);
      }
    };

  async function closing(): Promise<void> {
    await inner?.close();
  }

  /** It may hold the terminal or a timer. */
  function giveUp(): void {
    // The first problem is the one that is reported.
    closing().catch(() => {});
  }

  inner = await open(guard);
  const { say, redraw } = inner;
  return {
    on: guard(inner.on),
    ...(say !== undefined && { say: guard(say) }),
    ...(redraw !== undefined && { redraw: guard(redraw) }),
    async close() {
      if (isBroken) return;
      try {
        await closing();
      } catch (error) {
        isBroken = true;
        onTrouble(error);
      }
    },
  };
}
