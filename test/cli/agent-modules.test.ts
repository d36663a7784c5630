/** A resident agent holds in memory what a request needs, and nothing else. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { agentSite, anySignal, NAME, portOf } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

/** Lists what Node has loaded when it ends: ESM by a hook (Node 20 has only the older kind), CommonJS by its cache. */
const LISTING = `
import { appendFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
const list = process.env.KICK_TEST_MODULES;
const load = (url, context, next) => {
  appendFileSync(list, url + '\\n');
  return next(url, context);
};
if (module.registerHooks !== undefined) module.registerHooks({ load });
else module.register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(\${JSON.stringify(list)}, url + '\\\\n');
    return next(url, context);
  }\`));
const { cache } = createRequire(import.meta.url);
process.on('exit', () => appendFileSync(list, Object.keys(cache).join('\\n')));
`;

test('an agent that has served requests has loaded neither what makes CAs nor what controllers need', async () => {
  const folder = tempFolder();
  const { ca, argv } = await agentSite(folder, { command: ['/bin/true'] });
  const [hook, list] = [join(folder, 'hook.mjs'), join(folder, 'modules')];
  writeFileSync(hook, LISTING);
  const child = spawn(process.execPath, ['--import', hook, ...argv(0)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, KICK_TEST_MODULES: list },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const port = await portOf(child);
  const sender = httpsSender({ identity: await ca.identity('puppet.example.com') });
  const target = { certname: NAME, host: '127.0.0.1', port };
  expect(await sender.status(target, anySignal())).toMatchObject({ certname: NAME });
  sender.close();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  const loaded = readFileSync(list, 'utf8').split('\n');
  const of = (pattern: RegExp) => loaded.filter((name) => pattern.test(name));
  expect(of(/\/express\//)).not.toEqual([]);
  expect(of(/\/dist\/agent\/agent\.js$/)).toHaveLength(1);
  expect(of(/node_modules\/(node-forge|commander)\//)).toEqual([]);
  expect(of(/node_modules\/mime-db\/db\.json$/)).toEqual([]);
  expect(of(/\/dist\/(controller|report)\//)).toEqual([]);
  expect(of(/\/dist\/transport\/https\/client\.js$/)).toEqual([]);
  expect(of(/\/dist\/pki\/(authority|make-certificate)\.js$/)).toEqual([]);
  expect(of(/\/dist\/cli\/(run|rerun|nodes|jobs|hosts|ping|pki)\.js$/)).toEqual([]);
});
