/** The data types of the Puppet module have the keys of the configuration files, and no other. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MODULE, puppetTypes } from '../../scripts/puppet-types.ts';
import { AgentConfigSchema } from '../../src/config/agent-config.ts';
import { ControllerConfigSchema } from '../../src/config/controller-config.ts';
import { keysOf } from '../../src/config/keys.ts';

const textOf = (path: string) => readFileSync(join(MODULE, path), 'utf8');

test('the data types that come from the schemas are up to date', () => {
  for (const [path, text] of puppetTypes()) expect(textOf(path), 'npm run docs writes them').toBe(text);
});

test.each([
  ['agent', AgentConfigSchema],
  ['controller', ControllerConfigSchema],
] as const)('the keys of %s.yaml are those of the data type', (name, schema) => {
  const keys = keysOf(schema).map(([key]) => key);
  expect(keys.length).toBeGreaterThan(20);
  expect(keysIn(textOf(`types/${name}/config.pp`)).sort()).toEqual(keys.sort());
});

test('each other type is used, and its file is named after it', () => {
  const all = readdirSync(join(MODULE, 'types'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.pp'),
  );
  const folders = ['manifests', 'types'].flatMap((folder) =>
    readdirSync(join(MODULE, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.pp'))
      .map((path) => textOf(join(folder, path))),
  );
  for (const path of all) {
    const [, name = ''] = /^type (\S+) =/m.exec(textOf(join('types', path))) ?? [];
    expect(`${name.split('::').slice(1).join('/').toLowerCase()}.pp`).toBe(path);
    const uses = folders.filter((text) => new RegExp(`(?<!^type )\\b${name}\\b`, 'm').test(text));
    expect(uses, `nothing uses ${name}`).not.toEqual([]);
  }
});

/** `pull.runinterval`, by the indentation of its lines. */
function keysIn(pp: string): string[] {
  const path: string[] = [];
  return pp.split('\n').flatMap((line) => {
    const [, indent = '', key] = /^( +)(?:Optional\[)?'(\w+)'\]? *=> /.exec(line) ?? [];
    if (key === undefined) return [];
    const depth = indent.length / 2 - 1;
    path.splice(depth, path.length, key);
    const own = path.join('.');
    const isNats = line.endsWith('=> Kick::Nats,');
    return isNats ? [own, ...keysIn(textOf('types/nats.pp')).map((inner) => `${own}.${inner}`)] : [own];
  });
}
