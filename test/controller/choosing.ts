/** Choices of hosts for tests: an inventory, and stand-ins for whom a choice asks. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';
import type { HostSources, NodeDatabase } from '../../src/controller/targeting/host-sources.ts';
import { type Selection, selectHosts } from '../../src/controller/targeting/selection.ts';
import { outputOf } from '../../src/util/program-output.ts';
import { tempFolder } from '../support/temp.ts';

export const INVENTORY = {
  targets: [
    {
      name: 'db1.elsewhere.org',
      alias: ['db', 'db1'],
      uri: '10.0.0.7:9000',
      facts: { os: { family: 'Debian' } },
    },
    { name: 'web1.example.com', facts: { os: { family: 'RedHat' }, cpus: 4 } },
    'web2.example.com',
    'web10.example.com',
  ],
  groups: [
    { name: 'web', nodes: 'web*&*.example.com' },
    { name: 'most', nodes: '@web!web2.example.com,db' },
    { name: 'a', nodes: '@b' },
    { name: 'b', nodes: 'web1,@c' },
    { name: 'c', nodes: '@a' },
    { name: 'outer', groups: [{ name: 'inner', targets: ['web2.example.com'] }], targets: ['db'] },
    { name: 'found', query: 'nodes{}' },
  ],
};

/** No PuppetDB, no CA, no agents. */
export const nobody: HostSources = {
  database: undefined,
  discover: () => Promise.reject(new Error('nobody discovers here')),
  askAgents: () => Promise.reject(new Error('nobody asks agents here')),
  signedCertnames: async () => undefined,
  outputOf: outputWithin(600_000),
};

/** A command's output, if it comes within so many milliseconds. */
export function outputWithin(timeoutMs: number): HostSources['outputOf'] {
  return async (argv) => (await outputOf(argv, { timeoutMs, maxBytes: 1000, env: {} })).toString('utf8');
}

/** A choice of hosts in which nothing is said. */
export const NOTHING_CHOSEN: Selection = {
  ...{ named: [], exclude: [], all: false, queries: [], facts: [], classes: [], last: [] },
  ...{ olderThanMs: 1000, seed: 's', includeMaintenance: false },
};

export function choose(
  named: string[],
  more: Partial<Selection> = {},
  { sources = nobody, inventory = INVENTORY as object } = {},
) {
  const selection: Selection = {
    ...NOTHING_CHOSEN,
    named: named.map((text, index) => ({ text, origin: `argument ${index + 1}` })),
    ...more,
  };
  const read = readBoltInventory(inventory);
  expect(read.problems).toEqual([]);
  warnings.length = 0;
  const warn = (message: string) => void warnings.push(message);
  return selectHosts(selection, {
    ...{ inventory: read.inventory, sources, domain: 'example.com', port: 8139, warn },
  });
}

/** Those of the latest choice. */
export const warnings: string[] = [];

export async function namesOf(...args: Parameters<typeof choose>): Promise<string[]> {
  return (await choose(...args)).targets.map(({ certname }) => certname);
}

export const excluding = (...texts: string[]) => ({
  exclude: texts.map((text) => ({ text, origin: '--exclude' })),
});

/** With a PuppetDB that has these answers. */
export function databaseOf(answers: Partial<NodeDatabase>): HostSources {
  const none = () => Promise.reject(new Error('not asked here'));
  return {
    ...nobody,
    database: {
      byQuery: none,
      byClass: none,
      byLast: none,
      active: none,
      factValues: none,
      countBy: none,
      ...answers,
    },
  };
}

/** An inventory whose group `dmz` is what a script prints. */
export function groupOf(script: string) {
  const program = join(tempFolder(), 'names');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return { inventory: { groups: { dmz: { command: [program, 'an argument'] } } } };
}
