/** What the tests of streams share. */
import { once } from 'node:events';
import type { StoredEvent } from '../../src/protocol/event.ts';
import type { EventStream } from '../../src/transport/transport.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { accepted } from './support.ts';

export const ca = mintCa();
export const agentIdentity = ca.agent();
export const controller = ca.controller();
export const BODY = Buffer.from('{"protected":"x"}');

export const finished: StoredEvent = {
  seq: 3,
  at: 3000,
  type: 'finished',
  outcome: 'changed',
  endedAt: 3000,
};
export const log = (seq: number, size: number): StoredEvent => ({
  seq,
  at: seq,
  type: 'log',
  lines: [{ level: 'notice', message: 'x'.repeat(size) }],
});

/** A stream that says one thing and then waits for its signal. */
export async function* untilAborted(signal: AbortSignal): EventStream {
  yield accepted();
  if (!signal.aborted) await once(signal, 'abort');
}
