/** `kick doctor --local` knows a port that systemd holds from one that somebody else has. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listensOn } from '../../src/cli/agent/port-holder.ts';
import { freePort, listenOn } from '../../tools/loopback.ts';
import { afterwards } from '../support/afterwards.ts';

test.each(['127.0.0.1', '::'])('listensOn knows who listens on %s', async (address) => {
  const server = createServer();
  afterwards(() => server.close());
  const port = await listenOn(server, address);
  expect(await listensOn(port, process.pid)).toBe(true);
  expect(await listensOn(port, process.ppid)).toBe(false);
  expect(await listensOn(await freePort(), process.pid)).toBe(false);
});
