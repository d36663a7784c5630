/** A PuppetDB that misbehaves; the real one: test/puppet/puppetdb.test.ts. */

import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeDatabase } from '../../src/controller/node-database.ts';
import { openPuppetDb } from '../../src/controller/puppetdb.ts';
import { readPuppetdbConf } from '../../src/puppet/puppetdb-conf.ts';
import { systemClock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';

/** Plain HTTP is allowed on loopback, so no certificate is needed here. */
async function databaseOn(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const identity = () => Promise.reject(new Error('not needed'));
  return openPuppetDb({ urls: [url], identity, timeoutMs: 300, maxBytes: 1000 });
}

const answering = (status: number, body: string) =>
  databaseOn((_request, response) => response.writeHead(status).end(body));

test.each<[string, number, string, RegExp]>([
  ['junk', 200, '<html>', /its answer is not JSON/],
  ['no list', 200, '{"error": 1}', /not a list of rows/],
  ['no rows', 200, '[1, null]', /not a list of rows/],
  ['too much', 200, `[${' '.repeat(2000)}]`, /larger than 1000 bytes/],
  ['a refusal', 403, 'Permission denied', /it answered 403:\n {2}Permission denied/],
  ['a start that is not over', 503, 'maintenance mode', /it answered 503/],
  ['controls', 400, 'at \u001b[31m\nhere', /at \\x1b\[31m\n {2}here/],
])('%s is an error in its own words', async (_what, status, body, message) => {
  await expect((await answering(status, body)).query('nodes{}')).rejects.toThrow(message);
});

test('an answer that does not come, or does not end, is given up', async () => {
  await expect((await databaseOn(() => {})).query('nodes{}')).rejects.toThrow(/no answer within 0.3 s/);
  const endless = await databaseOn((_request, response) => void response.writeHead(200).write('['));
  await expect(endless.query('nodes{}')).rejects.toMatchObject({ code: 'puppetdb' });
});

test('rows without a certname, or with none that is one, are refused with the query', async () => {
  for (const body of ['[{"name": "x"}]', '[{"certname": "../x"}]', '[{"certname": 5}]']) {
    const database = nodeDatabase(await answering(200, body), systemClock);
    await expect(database.byQuery('facts[name]{}')).rejects.toThrow(/facts\[name\]\{\}/);
  }
});

test('plain HTTP to another machine is refused', async () => {
  const database = openPuppetDb({
    urls: ['http://192.0.2.1:8080'],
    identity: () => Promise.reject(new Error()),
  });
  await expect(database.query('nodes{}')).rejects.toThrow(/neither https nor on this machine/);
});

test("Puppet's puppetdb.conf is read as Puppet reads it", async () => {
  const path = join(tempFolder(), 'puppetdb.conf');
  const read = (text: string) => {
    writeFileSync(path, text);
    return readPuppetdbConf(path);
  };
  expect(await readPuppetdbConf(`${path}.none`)).toBeUndefined();
  expect(await read('[main]\nserver_urls = https://a:8081, https://b:8081\n')).toEqual([
    'https://a:8081',
    'https://b:8081',
  ]);
  expect(await read('[other]\nserver = x\n[main]\nserver = a\nport = 1\n')).toEqual(['https://a:1']);
  await expect(read('[main]\nserver_urls = nonsense\n')).rejects.toThrow(/not a URL: "nonsense"/);
  await expect(read('')).rejects.toThrow(/no server_urls/);
});
