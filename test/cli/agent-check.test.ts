/** `kick agent --check`: what an agent would refuse is said without one, and nothing is made. */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentYaml } from '../../scripts/package/agent-yaml.ts';
import { agentKeys } from '../../src/config/keys.ts';
import { PROGRAM } from '../../tools/program.ts';
import { kickNow } from '../support/kick.ts';
import { listModules } from '../support/loaded-modules.ts';
import { tempFolder } from '../support/temp.ts';

function check(text: string | undefined, ...more: readonly string[]) {
  const folder = tempFolder();
  if (text !== undefined) writeFileSync(join(folder, 'agent.yaml'), text);
  const folders = ['--config-dir', folder, '--state-dir', join(folder, 's'), '--run-dir', join(folder, 'r')];
  const result = kickNow(['agent', '--check', ...folders, ...more]);
  expect(readdirSync(folder)).toEqual(text === undefined ? [] : ['agent.yaml']);
  return result;
}

test('kick agent --check accepts what an agent starts with', () => {
  for (const text of [undefined, '', 'port: 8140\n', agentYaml()])
    expect(check(text), text).toEqual({ out: '', err: '', code: 0 });
});

test('what is all comments, as packages bring it, is not parsed', () => {
  const folder = tempFolder();
  const modules = listModules(folder);
  const { args, env } = modules;
  const check = (text: string) => {
    writeFileSync(join(folder, 'agent.yaml'), text);
    const words = ['agent', '--check', '--config-dir', folder, '--state-dir', folder, '--run-dir', folder];
    const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
    return spawnSync(process.execPath, [...args, PROGRAM, ...words], options).stderr;
  };
  expect(check(agentYaml())).toBe('');
  expect(modules.of(/js-yaml/)).toEqual([]);
  expect(check('port: 8140\n')).toBe('');
  expect(modules.of(/js-yaml/)).not.toEqual([]);
});

test.each([
  ['port: [\n', 'agent.yaml'],
  ['ports: 8140\n', 'ports'],
  ['runner: puppet-apply\n', 'apply: {manifest'],
  ['runner: command\ncommand: [/bin/true]\npull: {catalog: pushed}\n', 'catalog: pushed'],
])('kick agent --check refuses %j and says why', (text, why) => {
  expect(check(text)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(why) });
});

test('the packaged agent.yaml has every key, and is valid when every line is uncommented', () => {
  const uncommented = agentYaml().replace(/^#(?=[a-z]| {2})/gm, '');
  expect(uncommented).not.toMatch(/^#\S/m);
  expect(check(uncommented)).toEqual({ out: '', err: '', code: 0 });
  const keys = [...uncommented.matchAll(/^ *(?:- )?([a-z_]+):/gm)].map(([, key]) => key);
  const wanted = agentKeys().map(({ key }) => key.split('.').at(-1));
  expect(keys).toEqual(wanted);
});

test('a listener needs a port or a broker', () => {
  const text = 'listen: false\npull: {}\n';
  expect(check(text, '--pass-to', '/run/x')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('says "listen: false"'),
  });
  expect(check(text, '--take-from', '/run/x')).toEqual({ out: '', err: '', code: 0 });
  const nats = 'nats: {servers: [tls://nats.example.com]}\n';
  expect(check(`listen: false\n${nats}`, '--pass-to', '/run/x')).toEqual({ out: '', err: '', code: 0 });
});
