/** A PuppetDB that misbehaves; the real one: test/puppet/puppetdb.test.ts. */

import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openPuppetDb } from '../../src/controller/targeting/puppetdb/client.ts';
import { nodeDatabase } from '../../src/controller/targeting/puppetdb/node-database.ts';
import { readPuppetdbConf } from '../../src/puppet/puppetdb-conf.ts';
import { systemClock } from '../../src/util/clock.ts';
import { listenOn } from '../../tools/loopback.ts';
import { tempFolder } from '../support/temp.ts';

/** Plain HTTP is allowed on loopback, so no certificate is needed here. */
async function databaseOn(listener: RequestListener, timeoutMs = 600_000) {
  const server = createServer(listener);
  const port = await listenOn(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${port}`;
  const identity = () => Promise.reject(new Error('not needed'));
  return openPuppetDb({ urls: [url], identity, timeoutMs, maxBytes: 1000 });
}

const warn = () => expect.unreachable();

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
  await expect((await databaseOn(() => {}, 300)).query('nodes{}')).rejects.toThrow(/no answer within 0.3 s/);
  const endless = await databaseOn((_request, response) => void response.writeHead(200).write('['), 300);
  await expect(endless.query('nodes{}')).rejects.toMatchObject({ code: 'puppetdb' });
});

test('rows without a certname are refused with the query', async () => {
  for (const body of ['[{"name": "x"}]', '[{"certname": null}]', '[{"certname": 5}]']) {
    const database = nodeDatabase(await answering(200, body), { clock: systemClock, warn });
    await expect(database.byQuery('facts[name]{}')).rejects.toThrow(/facts\[name\]\{\}/);
  }
});

test('names that no agent can have are left out, counted and named, once', async () => {
  const names = ['a.example.com', 'backup@nas.example.com', 'a b', '../x', '..', 'Web1', 'bü', 'a\nb', ''];
  const body = JSON.stringify(names.map((certname) => ({ certname })));
  const told: string[] = [];
  const database = nodeDatabase(await answering(200, body), {
    clock: systemClock,
    warn: (message) => void told.push(message),
  });
  expect(await database.active()).toEqual(['a.example.com', 'backup@nas.example.com', 'a b']);
  expect(await database.byClass('x')).toHaveLength(3);
  expect(told).toEqual([
    'PuppetDB\'s answer: 6 names are no certnames and left out: "../x", "..", "Web1", "bü", "a\\nb", ""',
  ]);
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
  const byDefault = ['https://puppetdb:8081'];
  expect(await readPuppetdbConf(`${path}.none`)).toBeUndefined();
  for (const [text, urls] of [
    ['[main]\nserver_urls = https://a:8081, https://b:8081\n', ['https://a:8081', 'https://b:8081']],
    ['[main]\r\nserver_urls=https://a:8081,\r\n', ['https://a:8081']],
    ['\ufeff [main] ; ours\n\tserver_urls\t= https://a:8081  # the new one\n', ['https://a:8081']],
    ['[main]\nserver_urls = https://a\n[other]\nserver_urls = https://b\n', ['https://a']],
    ['[main]\nserver_urls = https://a\n[main]\nserver_urls = https://b\n', ['https://b']],
    ['[main]\nserver_urls = HTTPS://a:8081\n', ['HTTPS://a:8081']],
    ['[main]\nsoft_write_failure = true\n', byDefault],
    ['[main]\n# server_urls = https://a\n', byDefault],
    ['[other]\nserver_urls = https://a\n', byDefault],
    // Retired: Puppet goes to its default.
    ['[main]\nserver = a\nport = 1\n', byDefault],
    ['', byDefault],
  ] as const) {
    expect(await read(text), text).toEqual(urls);
  }
  for (const [text, why] of [
    ['[main]\nserver_urls = nonsense\n', /not a URL: "nonsense"/],
    ['[main]\nserver_urls = puppetdb.example.com:8081\n', /not a URL: "puppetdb.example.com:8081"/],
    ['[main]\nserver_urls = https://a https://b\n', /not a URL/],
    ['[main]\nserver_urls =\n', /server_urls is empty/],
    ['[main]\nserver_urls = # https://a\n', /server_urls is empty/],
    ['server_urls = https://a\n', /line 1: server_urls stands outside of a section/],
    ['[main]\n\nserver_urls https://a\n', /line 3: neither a section/],
    [`#${' '.repeat(1 << 20)}`, /larger than 1048576 bytes/],
  ] as const) {
    await expect(read(text), text.slice(0, 80)).rejects.toThrow(why);
  }
  await expect(readPuppetdbConf(join(path, '..'))).rejects.toMatchObject({ code: 'config' });
  symlinkSync('gone', `${path}.link`);
  await expect(readPuppetdbConf(`${path}.link`)).rejects.toThrow(/it is a link to a file that is missing/);
});
