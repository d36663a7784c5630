/** `kick nodes --format json | kick --nodes-file -`: what one command prints is what the next one takes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseNodesFile } from '../../src/controller/targeting/nodes-file.ts';
import { KickError } from '../../src/errors.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

const textsOf = (text: string) => parseNodesFile(text, 'stdin').map((one) => one.text);

test('kick nodes takes what it prints, also a name that is an operator to the language', async () => {
  const folder = tempFolder();
  const targets = ['web1.x', 'web2.x', 'db1.x'];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(join(folder, 'controller.yaml'), JSON.stringify({ puppetdb: false }));
  const env = { KICK_CONFIG_DIR: folder, KICK_STATE_DIR: join(folder, 'state'), KICK_PUPPET: '/nonexistent' };
  const kick = (words: string[], input = '') => kickHere(['nodes', '--no-fqdn', ...words], { env, input });
  const { out } = await kick(['--all', '"odd!name"', '--exclude', 'web2.x', '--format', 'json']);
  const again = await kick(['--nodes-file', '-', '--expand'], out);
  expect(again).toMatchObject({ code: 0, out: 'odd!name\nweb1.x\ndb1.x\n' });
  const nobody = await kick(['--nodes-file', '-'], '{"count": 0, "nodes": []}');
  expect(nobody).toMatchObject({ code: 2, out: '' });
  expect(nobody.err).toMatch(/nobody is named by stdin/);
});

test.each<[string, string[]]>([
  ['["a.x", "b.x", "a.x"]', ['a.x', 'b.x']],
  ['[{"certname": "a.x", "state": "idle"}]', ['a.x']],
  ['\ufeff {"hosts": ["a.x"]}', ['a.x']],
  ['{"job": "1", "hosts": [{"certname": "a.x", "outcome": "failed"}]}', ['a.x']],
  ['{"certname": "a.x"}\n{"certname": "b.x"}\n', ['a.x', 'b.x']],
  ['{"event": "job-started"}\n{"certname": "b.x"}\n', ['b.x']],
  ['["@dmz"]', ['"@dmz"']],
  ['[]', ['']],
  ['[1-3]web\n[4-5]web', ['[1-3]web', '[4-5]web']],
  ['web1\n# {"a"}\nweb2', ['web1', 'web2']],
])('%j means %j', (text, texts) => {
  expect(textsOf(text)).toEqual(texts);
});

test.each([
  ['{"nodes": ['],
  ['["a.x",]'],
  ['{"certname": "a.x"}\n{"certname": '],
  ['[{"name": "a.x"}]'],
  ['["b.x", ["a.x"]]'],
  ['["a b/c"]'],
  ['{"nodes": [7]}'],
  ['{"count": 0}'],
  [`["a.x",${'['.repeat(100_000)}`],
])('%# is refused, and names nobody', (text) => {
  const read = () => textsOf(text);
  expect(read).toThrow(KickError);
  expect(read).toThrow(/^read the list of nodes "stdin": /);
});
