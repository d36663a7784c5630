/** An agent behind a connection that is cut, whose runs last until a test ends them. */
import type { Identity } from '../../src/pki/identity.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import { startAgent } from '../transport/support.ts';
import { type Cut, type CuttingProxy, cuttingProxy } from './cutting-proxy.ts';
import { deferred } from './deferred.ts';

const RUN = '01900000-0000-7000-8000-000000000003';
const EVENTS: readonly StoredEvent[] = [
  { seq: 1, at: 1, type: 'accepted', version: '1' },
  { seq: 2, at: 2, type: 'started', run: RUN },
  { seq: 3, at: 3, type: 'finished', outcome: 'changed', endedAt: 3 },
];

export interface HeldAgent {
  proxy: CuttingProxy;
  /** Whether it has been asked to run, and has taken the request. */
  isTaken(): boolean;
  /** From now on runs are over. */
  finish(): void;
}

export async function heldAgent(identity: Identity, cut: Cut): Promise<HeldAgent> {
  const { promise: over, resolve: finish } = deferred();
  let isTaken = false;
  async function* run(after: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    for (const event of EVENTS) {
      if (event.type === 'finished') await Promise.race([over, gone]);
      if (signal.aborted) return;
      if (event.seq > after) yield event;
    }
  }
  const { target } = await startAgent(identity, {
    service: {
      async submit() {
        isTaken = true;
        return (signal) => run(0, signal);
      },
      async events({ after }) {
        if (!isTaken) throw new Refusal('unknown-job', 'it was never asked');
        return (signal) => run(after, signal);
      },
    },
  });
  return { proxy: await cuttingProxy(target.port, cut), isTaken: () => isTaken, finish };
}

/** How many bytes go through from either side when nothing is cut, up to the start of a run; as `ask` asks. */
export async function bytesOf(
  identity: Identity,
  ask: (port: number) => Promise<unknown>,
): Promise<CuttingProxy['passed']> {
  const { proxy, finish } = await heldAgent(identity, {
    ...{ from: 'client', after: Number.POSITIVE_INFINITY, how: 'stall' },
  });
  finish();
  await ask(proxy.port);
  return proxy.passed;
}

/** Places spread over so many bytes. */
export const places = (bytes: number, count: number): number[] =>
  [...Array(count).keys()].map((index) => Math.floor((index * bytes) / count));
