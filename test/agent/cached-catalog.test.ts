/** Whether Puppet can use the catalog that it has cached: what cannot be done as asked is not begun. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cachedCatalogProblem } from '../../src/agent/puppet/cached-catalog.ts';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import type { PuppetSettings } from '../../src/puppet/settings.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';
import { fixture, kick, requestOf, startAgent } from './harness.ts';

const CATALOG = {
  ...{
    tags: ['settings'],
    name: 'x',
    version: 1764082800,
    code_id: null,
    catalog_format: 1,
    environment: 'production',
  },
  resources: [{ type: 'Stage', title: 'main', tags: ['stage'], exported: false }],
  edges: [{ source: 'Stage[main]', target: 'Class[Settings]' }],
  classes: ['settings'],
};

const settingsOf = (client_datadir: string, more: object = {}) =>
  ({ client_datadir, certname: 'x', ...more }) as PuppetSettings;

const problemOf = (text: string | Buffer, environment?: string) => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'catalog'));
  writeFileSync(join(folder, 'catalog', 'x.json'), text);
  return cachedCatalogProblem(settingsOf(folder), environment);
};

test('a catalog of this host can be used, whatever its size', async () => {
  expect(await problemOf(JSON.stringify(CATALOG))).toBeUndefined();
  expect(await problemOf(JSON.stringify(CATALOG), 'production')).toBeUndefined();
  const resources = Array.from({ length: 60_000 }, (_, i) => ({
    type: 'File',
    title: `/${i}/${'ü'.repeat(40)}`,
  }));
  expect(await problemOf(JSON.stringify({ ...CATALOG, resources }))).toBeUndefined();
});

test.each<[string, string | Buffer, RegExp]>([
  ['an empty file', '', /not whole/],
  ['one that is cut off', JSON.stringify(CATALOG).slice(0, -20), /not whole/],
  ['one with something behind it', `${JSON.stringify(CATALOG)}x`, /not whole/],
  ['YAML', '---\nname: x\n', /not whole/],
  ['zeroes, as after a power cut', Buffer.alloc(4096), /not whole/],
  ['null', 'null', /not a catalog/],
  ['a list', '[]', /not a catalog/],
  ['an empty object', '{}', /not a catalog/],
  ['resources that are none', JSON.stringify({ ...CATALOG, resources: ['x'] }), /not a catalog/],
  ['a name that is none', JSON.stringify({ ...CATALOG, name: { toString: 1 } }), /is of "", not of/],
  ['edges that are none', JSON.stringify({ ...CATALOG, edges: [null] }), /not a catalog/],
  ["another host's", JSON.stringify({ ...CATALOG, name: 'y\u001b[31m' }), /is of "y\\x1b\[31m", not of "x"/],
  ['one without a name', JSON.stringify({ ...CATALOG, name: undefined }), /not of "x"/],
])('a cached catalog cannot be used: %s', async (_what, text, problem) => {
  expect(await problemOf(text)).toMatch(problem);
});

test('a catalog of another environment cannot be used for the one that is asked for', async () => {
  expect(await problemOf(JSON.stringify(CATALOG), 'testing')).toMatch(
    /of the environment "production", not "testing"/,
  );
});

test('what is no file is no catalog, and nothing waits for it', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'catalog'));
  const path = join(folder, 'catalog', 'x.json');
  const problem = () => cachedCatalogProblem(settingsOf(folder));
  expect(await problem()).toMatch(/there is none/);
  symlinkSync(join(folder, 'nowhere'), path);
  expect(await problem()).toMatch(/there is none/);
  rmSync(path);
  mkdirSync(path);
  expect(await problem()).toMatch(/it is not a file/);
  rmdirSync(path);
  execFileSync('mkfifo', [path]);
  expect(await problem()).toMatch(/it is not a file/);
});

test('it is looked for by the name and in the format that Puppet has for it', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'catalog'));
  writeFileSync(join(folder, 'catalog', 'y.json'), JSON.stringify({ ...CATALOG, name: 'y' }));
  expect(await cachedCatalogProblem(settingsOf(folder))).toMatch(/there is none/);
  expect(await cachedCatalogProblem(settingsOf(folder, { node_name_value: 'y' }))).toBeUndefined();
  const packed = settingsOf(folder, { catalog_cache_terminus: 'msgpack' });
  expect(await cachedCatalogProblem(packed)).toBeUndefined(); // only Puppet can read that
});

const ask = () => requestOf({ action: { op: 'run', useCachedCatalog: true } });

test('a request for the cached catalog begins nothing without one, and is no plain success when a new one is used', async () => {
  const folder = tempFolder();
  const dir = join(folder, 'puppet');
  mkdirSync(join(dir, 'catalog'), { recursive: true });
  copyFileSync(fixture('fake-puppet'), join(dir, 'puppet'));
  chmodSync(join(dir, 'puppet'), 0o755);
  writeFileSync(join(dir, 'puppet.conf'), '');
  writeFileSync(
    join(dir, 'script'),
    ['not_used', 'explicitly_requested']
      .map((how) => `2 changed true cached_catalog_status=${how}\n`)
      .join(''),
  );
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [], log: silentLog },
  });
  const agent = await startAgent(folder, { runner });
  const finished = async () => (await kick(agent, ask())).finished;

  expect(await finished()).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(/^apply the cached catalog: there is none/),
  });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
  expect(await runner.catalogProblem()).toMatch(/there is none/);

  writeFileSync(join(dir, 'catalog', 'x.json'), JSON.stringify(CATALOG));
  expect(await runner.catalogProblem()).toBeUndefined();
  expect(await finished()).toMatchObject({
    outcome: 'failed',
    message: 'Puppet could not use the cached catalog, which the request asked for, and took a new one',
  });
  expect((await finished()).outcome).toBe('changed');
});
