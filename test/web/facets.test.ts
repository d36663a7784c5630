/** Counts of the chosen hosts, from PuppetDB or, while that cannot be asked, from the inventory. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { choiceOf, codeVersion, NEW_ORDER } from '../../src/web/app/kick/order.ts';
import { afterwards } from '../support/afterwards.ts';
import { realSite } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { signIn, startServer } from './web-site.ts';

const [ONE, TWO] = ['web1.example.com', 'web2.example.com'];

/** What PuppetDB has, by the beginning of the question. */
const ROWS: [string, object[]][] = [
  ['nodes[certname]', [{ certname: ONE }, { certname: TWO }]],
  ['nodes[certname]{ report_environment = "canary" }', [{ certname: TWO }]],
  [
    'nodes[certname, report_environment',
    [ONE, TWO].map((certname) => ({ certname, report_environment: 'test', latest_report_status: 'changed' })),
  ],
  ['resources[title, count()]', [{ title: 'Apache', count: 2 }]],
  ['inventory[', [ONE, TWO].map((certname) => ({ certname, 'facts.os.family': 'Debian' }))],
];

test('all hosts, and what they have in common; without PuppetDB those of the inventory, and it is said', async () => {
  const puppetDb = createServer(async (request, response) => {
    const { query } = JSON.parse(await text(request));
    const rows = ROWS.filter(([start]) => query.startsWith(start)).at(-1)?.[1] ?? [];
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(rows));
  });
  puppetDb.listen(0, '127.0.0.1');
  await once(puppetDb, 'listening');
  afterwards(() => puppetDb.close());
  const { port } = puppetDb.address() as AddressInfo;
  const site = await realSite(0, () => '');
  site.controllerYaml({ puppetdb: { urls: [`http://127.0.0.1:${port}`] } });
  site.inventory({
    targets: [{ name: ONE, uri: '127.0.0.1:9', facts: { os: { family: 'RedHat' } } }],
  });
  writePeople(site, { viewer: { role: 'viewer' }, operator: { role: 'operator' } });
  const server = await startServer(site);
  const headers = await signIn(server, 'viewer');
  const body = { choice: { all: true }, facets: ['os.family'] };
  const known = await server.ask('hosts/resolve', { body, headers });
  expect(known.json).toMatchObject({ chosen: 2, warnings: [] });
  expect(known.json.facets).toEqual([
    { name: 'os.family', kind: 'fact', values: [{ value: 'Debian', hosts: 2 }], more: 0 },
    { name: 'environment', kind: 'environment', values: [{ value: 'test', hosts: 2 }], more: 0 },
    { name: 'last', kind: 'last', values: [{ value: 'changed', hosts: 2 }], more: 0 },
    { name: 'class', kind: 'class', values: [{ value: 'Apache', hosts: 2 }], more: 0 },
  ]);
  // What the page asks for when somebody clicks an environment.
  const clicked = choiceOf({ ...NEW_ORDER, all: true, reported: 'canary' });
  const narrow = await server.ask('hosts/resolve', { body: { choice: clicked }, headers });
  expect(narrow.json.chosen).toBe(1);

  puppetDb.closeAllConnections();
  await new Promise((resolve) => puppetDb.close(resolve));
  const down = await server.ask('hosts/resolve', { body, headers });
  expect(down.json).toMatchObject({ chosen: 1, hosts: [{ certname: ONE }] });
  expect(down.json.warnings.join()).toMatch(
    /the hosts of the inventory only: .*counted by the inventory only: /,
  );
  expect(down.json.facets).toEqual([
    { name: 'os.family', kind: 'fact', values: [{ value: 'RedHat', hosts: 1 }], more: 0 },
  ]);
  for (const what of ['status', 'summary', 'doctor']) {
    const fleet = await server.ask(`fleet/${what}`, { body: { choice: { all: true } }, headers });
    expect(fleet.json.warnings.join(), what).toMatch(/the hosts of the inventory only/);
  }
  // To run on some of them as if they were all would be worse than not to run.
  const run = { body: { choice: { all: true }, dryRun: true }, headers: await signIn(server, 'operator') };
  expect((await server.ask('jobs', run)).json).toMatchObject({ status: 503, code: 'unavailable' });
});

test('a catalog version that is only a time says nothing of the code', () => {
  expect(codeVersion('1795834572')).toBeUndefined();
  expect(codeVersion(undefined)).toBeUndefined();
  expect(codeVersion('production-4be1f7a')).toBe('production-4be1f7a');
  expect(codeVersion('20261128')).toBe('20261128');
});
