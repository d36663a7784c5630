/** What a kick loads: cron jobs and scripts pay for each start of it (docs/performance.md). */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ended, startKick } from '../support/kick.ts';
import { listModules, type ModuleList } from '../support/loaded-modules.ts';
import { realSite, type Site } from '../support/real-site.ts';

let runs = 0;

/** Its modules, once it has ended with 0. */
async function modulesOf({ folder, env }: Site, ...words: string[]): Promise<ModuleList> {
  const own = join(folder, `modules${++runs}`);
  mkdirSync(own);
  const modules = listModules(own);
  const listed = { ...modules.env, NODE_OPTIONS: modules.args.join(' ') };
  expect(await ended(startKick(words, { env: { ...env, ...listed } }))).toMatchObject({ code: 0 });
  return modules;
}

/** If this fails for a good reason, raise `most`, and say in docs/performance.md what it costs. */
function expectAtMost(modules: ModuleList, most: number): void {
  const own = modules.own();
  expect(own.length, own.sort().join('\n')).toBeLessThanOrEqual(most);
}

test('a plain kick loads no part of kick for which it has no use', async () => {
  const site = await realSite(1, () => 'exit 0');
  site.controllerYaml({ puppetdb: false });
  const modules = await modulesOf(site, 'run', '--host', 'web1.example.com');
  expectAtMost(modules, 156);
  // Conditions, exclusions, limits and the sources of hosts; rows that are drawn again; groups of results; Puppet's settings.
  expect(
    modules.of(/\/dist\/controller\/targeting\/(puppetdb\/|condition-|fact-|exclusion|limit|nobody)/),
  ).toEqual([]);
  expect(modules.of(/\/dist\/report\/(live-|progress|pace|time-left|changes|result-|version-|wrap)/)).toEqual(
    [],
  );
  expect(modules.of(/\/dist\/(puppet|agent|web|transport\/https\/listener)\//)).toEqual([]);
  expect(modules.of(/node_modules\/(node-forge|pino|proper-lockfile|express|jose)\//)).toEqual([]);
  const quiet = await modulesOf(site, 'run', '--host', 'web1.example.com', '--quiet');
  expectAtMost(quiet, 146);
  expect(quiet.of(/\/dist\/report\/summary/)).toEqual([]);
});

test('without an inventory there is nothing to parse, and nothing that parses', async () => {
  const site = await realSite(1, () => 'exit 0', { nameOf: () => 'localhost' });
  const inventory = join(site.folder, 'etc', 'inventory.yaml');
  const port = /:(\d+)"/.exec(readFileSync(inventory, 'utf8'))?.[1] ?? '';
  rmSync(inventory);
  const modules = await modulesOf(site, 'run', '--host', 'localhost', '--no-fqdn', '--port', port);
  expectAtMost(modules, 149);
  expect(modules.of(/\/dist\/controller\/targeting\/bolt\//)).toEqual([]);
  expect(modules.of(/node_modules\/js-yaml\//)).toEqual([]);
});

test('what looks at jobs or hosts loads nothing that runs them; --version loads next to nothing', async () => {
  const site = await realSite(1, () => 'exit 0');
  site.controllerYaml({ puppetdb: false });
  const jobs = await modulesOf(site, 'jobs');
  expectAtMost(jobs, 64);
  expect(jobs.of(/\/dist\/(transport|pki|config)\/|js-yaml/)).toEqual([]);
  const status = await modulesOf(site, 'status', '--all');
  expectAtMost(status, 136);
  expect(status.of(/\/dist\/controller\/rollout\/(?!refusal-words)/)).toEqual([]);
  expect((await modulesOf(site, '--version')).own().sort()).toEqual(['bin.js', 'cli/version.js']);
});
