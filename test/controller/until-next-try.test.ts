/** An unreachable host is tried again when it says that it has come, and not before half a second. */
import { expect, test } from 'vitest';
import { untilNextTry } from '../../src/controller/rollout/until-next-try.ts';
import type { Sender, Target } from '../../src/transport/transport.ts';

const target: Target = { certname: 'web1.example.com', host: 'web1.example.com', port: 8139, via: 'nats' };
const HOURS = 36_000_000;

function listening() {
  const listeners = new Set<() => void>();
  const sender: Pick<Sender, 'onHere'> = {
    onHere(_, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { sender, listeners };
}

test('a hello ends the wait, and nobody listens any more', async () => {
  const { sender, listeners } = listening();
  const over = untilNextTry({ target, sender, waitMs: HOURS, signal: new AbortController().signal });
  for (const listener of listeners) listener();
  await over;
  expect(listeners.size).toBe(0);
});

test('a stop ends it as well, and a transport that knows no hellos waits for the time', async () => {
  const stop = new AbortController();
  const { sender, listeners } = listening();
  const over = untilNextTry({ target, sender, waitMs: HOURS, signal: stop.signal });
  stop.abort();
  await over;
  expect(listeners.size).toBe(0);
  await untilNextTry({ target, sender: {}, waitMs: 1, signal: new AbortController().signal });
});
