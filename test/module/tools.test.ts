/** What the tools of module authors say: puppet-lint, the parser, rspec-puppet, puppet-strings. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { AgentConfigSchema } from '../../src/config/agent-config.ts';
import { ROOT } from '../../tools/program.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { tempFolder } from '../support/temp.ts';
import { MODULE, run } from './module.ts';

const textOf = (path: string) => readFileSync(join(MODULE, path), 'utf8');

test('puppet-lint finds nothing', async () => {
  expect(await run(['puppet-lint', 'manifests', 'types'])).toEqual({ out: '', err: '', code: 0 });
});

test('the parser of Puppet accepts it, and the examples of its documents', async () => {
  const folder = tempFolder();
  const examples = ['README.md', 'REFERENCE.md'].flatMap((name) =>
    codeBlocks(textOf(name)).filter(({ language }) => language === 'puppet'),
  );
  expect(examples.length).toBeGreaterThan(5);
  for (const [index, { text }] of examples.entries()) writeFileSync(join(folder, `${index}.pp`), text);
  const words = ['puppet', 'parser', 'validate', 'manifests', 'types', folder];
  expect(await run(words)).toMatchObject({ code: 0 });
});

test('the settings in README.md are settings of kick', () => {
  const blocks = codeBlocks(textOf('README.md')).filter(({ language }) => language === 'yaml');
  const data = Object.assign({}, ...blocks.map(({ text }) => load(text))) as Record<string, unknown>;
  expect(v.safeParse(AgentConfigSchema, data['kick::agent::config']).success).toBe(true);
  const manifests = ['', 'agent', 'controller']
    .map((name) => textOf(`manifests/${name || 'init'}.pp`))
    .join();
  for (const key of Object.keys(data)) expect(manifests).toContain(` $${key.split('::').at(-1)} `);
});

test('rspec passes', async () => {
  const { out, err, code } = await run(['rspec']);
  expect(code, `${out}${err}`).toBe(0);
  expect(out).toMatch(/^\d{2,} examples, 0 failures$/m);
});

test('REFERENCE.md is what puppet-strings writes', async () => {
  const copy = join(tempFolder(), 'kick');
  cpSync(MODULE, copy, { recursive: true, filter: (path) => !path.endsWith('/fixtures') });
  const words = ['puppet', 'strings', 'generate', '--format', 'markdown', '--out', 'REFERENCE.md'];
  const { out, code } = await run(words, { cwd: copy });
  expect(code, out).toBe(0);
  expect(out).not.toMatch(/\[(warn|error)\]/);
  expect(textOf('REFERENCE.md'), 'npm run docs:module writes it').toBe(
    readFileSync(join(copy, 'REFERENCE.md'), 'utf8'),
  );
});

test('metadata.json has the version of kick, and what the Forge asks for', () => {
  const metadata = JSON.parse(textOf('metadata.json')) as Record<string, unknown>;
  expect(metadata).toMatchObject({ name: 'kick-kick', version: version(), license: 'Apache-2.0' });
  expect(metadata['dependencies']).toEqual([]);
  const families = readdirSync(join(MODULE, 'data', 'os'));
  expect(families.sort()).toEqual(['Debian.yaml', 'RedHat.yaml', 'Suse.yaml']);
  expect(textOf('LICENSE')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
  expect(textOf('CHANGELOG.md')).toContain(`## ${version()}`);
});
