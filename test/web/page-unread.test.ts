/** Files of the page are sent as they are read: whoever asks for large ones and reads nothing takes no memory for them. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { mountPage } from '../../src/web/server/http/page.ts';
import { listenOn } from '../../tools/loopback.ts';
import { tempFolder } from '../support/temp.ts';

const BYTES = 32 << 20;

test('of a file that nobody reads a part is in memory; who reads gets all of it, and HEAD its length', async () => {
  const dir = tempFolder();
  writeFileSync(join(dir, 'large.js'), Buffer.alloc(BYTES, 'x'));
  const app = express();
  mountPage(app, dir);
  const server = createServer(app);
  const port = await listenOn(server);
  onTestFinished(() => void server.close());
  const accepted = once(server, 'connection');
  const client = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  client.write('GET /large.js HTTP/1.1\r\nHost: x\r\n\r\n');
  const [socket] = (await accepted) as [Socket];
  await expect.poll(() => socket.bytesWritten).toBeGreaterThan(0);
  await sleep(100);
  expect(socket.writableLength).toBeLessThan(1 << 20);
  const ask = async (method: string) => {
    const asking = request({ port, host: '127.0.0.1', path: '/large.js', method, agent: false }).end();
    const [response] = await once(asking, 'response');
    return { length: response.headers['content-length'], read: (await buffer(response)).length };
  };
  expect(await ask('GET')).toEqual({ length: String(BYTES), read: BYTES });
  expect(await ask('HEAD')).toEqual({ length: String(BYTES), read: 0 });
});
