/** The packages' program, in one bundle with its own Node, does what dist does: nothing is left behind in the checkout. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { PACKAGED_NODE } from '../../scripts/nodes.ts';
import { commitOf } from '../../scripts/package/commit.ts';
import { ownArchitecture } from '../../scripts/package/node-runtime.ts';
import { writeTree } from '../../scripts/package/tree.ts';
import { packagedUnit } from '../../scripts/package/unit.ts';
import { version } from '../../src/cli/version.ts';
import { startAgentProcess } from '../../tools/agent-process.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { ROOT } from '../../tools/program.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { afterwards } from '../support/afterwards.ts';
import { type Ended, ended } from '../support/kick.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const [AGENT, CONTROLLER] = ['web1.example.com', 'puppet.example.com'];

let tree = '';

beforeAll(async () => {
  const folder = throwawayFolder();
  tree = folder.path;
  await writeTree(tree, { architecture: ownArchitecture(), origin: 'tar' });
  return () => folder.remove();
});

type Variables = Readonly<Record<string, string>>;

/** As on a host without any other Node. */
const BARE = { PATH: '/usr/sbin:/sbin', LANG: 'C.UTF-8', NO_COLOR: '1' };

const kick = (
  words: readonly string[],
  env: Variables = {},
  program = join(tree, 'usr/bin/kick'),
): Promise<Ended> => ended(spawn(program, words, { env: { ...BARE, PATH: '/bin', ...env }, cwd: '/' }));

/** Certificates and configuration of a host and its controller; the variables of each. */
function site() {
  const folder = tempFolder();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  const ca = mintCa();
  for (const name of [AGENT, CONTROLLER])
    ca.write(pki, ca.issue(name, name === AGENT ? { role: 'agent' } : {}));
  mkdirSync(etc);
  const [runs, log] = [join(folder, 'runs'), join(folder, 'log')];
  const yaml = (name: string, content: object) => writeFileSync(join(etc, name), JSON.stringify(content));
  const command = ['/bin/sh', '-c', `echo ran >>'${runs}'`];
  yaml('agent.yaml', { runner: 'command', command, port: 0, bind: '127.0.0.1' });
  yaml('controller.yaml', { puppetdb: false, syslog: ['/bin/sh', '-c', `cat >>'${log}'`] });
  const env = (name: string): Variables => ({
    ...{ KICK_CONFIG_DIR: etc, KICK_PKI_DIR: pki, KICK_CERTNAME: name },
    ...{ KICK_STATE_DIR: join(folder, `state-${name}`), KICK_RUN_DIR: join(folder, `run-${name}`) },
  });
  return { yaml, env, runs, log, ca: readFileSync(join(pki, 'certs', 'ca.pem')) };
}

test('says which it is: version, commit, its own Node and the package', async () => {
  const node = join(tree, 'usr/lib/kick/node');
  const told = `kick ${version()}\ncommit ${commitOf(ROOT)}\nNode ${PACKAGED_NODE} (${node})\ninstalled from tar\n`;
  expect(await kick(['--version', '--verbose'])).toEqual({ out: told, err: '', code: 0 });
});

test('works by a link, from any folder and at any place', async () => {
  const folder = tempFolder();
  symlinkSync(join(tree, 'usr/bin/kick'), join(folder, 'kick'));
  const own = { out: `${version()}\n`, err: '', code: 0 };
  expect(await kick(['-V'], {}, join(folder, 'kick'))).toEqual(own);
  cpSync(join(tree, 'usr'), join(folder, 'a b'), { recursive: true });
  expect(await kick(['-V'], {}, join(folder, 'a b/bin/kick'))).toEqual(own);
  const here = { cwd: join(folder, 'a b/bin'), env: { ...BARE, PATH: '.:/bin' } };
  for (const command of ['kick', './kick', '../bin/kick'])
    expect(await ended(spawn('/bin/sh', ['-c', `${command} -V`], here))).toEqual(own);
});

test('an agent as its unit starts it runs what it is asked for, and kick logs to the system', async () => {
  const { yaml, env, runs, log } = site();
  const unit = packagedUnit(readFileSync(join(ROOT, 'packaging/systemd/kick-agent.service'), 'utf8'));
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const words = line.replaceAll('/usr/lib/kick', join(tree, 'usr/lib/kick')).split(' ');
  const agent = await startRealAgent(words, {
    env: { ...BARE, PATH: '/bin', ...env(AGENT) },
    cwd: '/',
    stderr: 'collect',
  });
  expect(readlinkSync(`/proc/${agent.pid}/exe`)).toBe(join(tree, 'usr/lib/kick/node'));
  yaml('inventory.yaml', { targets: [{ name: AGENT, uri: `127.0.0.1:${agent.port}` }] });
  expect(await kick([AGENT, '--quiet'], env(CONTROLLER))).toEqual({ out: '', err: '', code: 0 });
  expect(readFileSync(runs, 'utf8')).toBe('ran\n');
  expect(readFileSync(log, 'utf8')).toContain(`<6>`);
  const status = await kick(['status', AGENT], env(CONTROLLER));
  expect(status).toMatchObject({ err: '', code: 0 });
  await agent.kill();
  expect([agent.said(), agent.process.exitCode]).toEqual(['', 0]);
});

test('kick serve brings its page', async () => {
  const { env, ca } = site();
  const words = ['serve', '--port', '0', '--bind', '127.0.0.1'];
  const server = await startAgentProcess([join(tree, 'usr/bin/kick'), ...words], {
    env: { ...BARE, PATH: '/bin', ...env(CONTROLLER) },
    ready: 'serving',
    onSpawn: (child) => afterwards(() => child.kill('SIGKILL')),
  });
  const get = async (path: string) => {
    const asking = request({
      host: '127.0.0.1',
      port: server.port,
      servername: CONTROLLER,
      ca,
      path,
      agent: false,
    });
    asking.end();
    const [answer] = await once(asking, 'response');
    return { status: answer.statusCode, body: await text(answer) };
  };
  const page = await get('/');
  const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page.body) ?? [];
  expect(await get(script)).toMatchObject({ status: 200, body: expect.stringContaining('import') });
  await server.kill();
});

test('what is loaded only when it is asked for: completion, certificates, help', async () => {
  expect(await kick(['completion', 'bash'])).toMatchObject({ err: '', code: 0 });
  expect((await kick(['__complete', 'bash', '1', 'kick', 'sta'])).err).toBe('');
  expect((await kick(['help', 'hosts'])).code).toBe(0);
  const pki = join(tempFolder(), 'pki');
  expect(await kick(['pki', 'init', '--pki-dir', pki])).toMatchObject({ code: 0 });
  expect(existsSync(join(pki, 'ca'))).toBe(true);
});
