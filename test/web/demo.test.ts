/** `kick demo --web` prints what one needs to sign in, and leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { signedIn } from '../../src/cli/demo/api-client.ts';
import { DEMO_HOSTS } from '../../src/cli/demo/demo-hosts.ts';
import { DEMO_CONTROLLER } from '../../src/cli/demo/demo-site.ts';
import { KICK, PROGRAM, ROOT } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';
import { kickNow } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';

interface Demo {
  child: ChildProcess;
  /** Of everything that it makes. */
  folder: string;
  port: number;
  password: string;
  ca: Buffer;
  said: string;
}

async function startDemo(kick = KICK, until = 'Ctrl-C ends'): Promise<Demo> {
  const folder = tempFolder();
  const [program = '', ...words] = [...kick, 'demo', '--web', '--port', '0'];
  const child = spawn(program, words, {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  afterwards(() => child.kill('SIGKILL'));
  let said = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes(until)) break;
  }
  const [, port = ''] = /https:\/\/localhost:(\d+)\//.exec(said) ?? [];
  const [, password = ''] = /password of all three: (\S+)/.exec(said) ?? [];
  const [, ca = ''] = /\((\/\S+ca\.pem)\)/.exec(said) ?? [];
  return { child, folder, port: Number(port), password, ca: readFileSync(ca), said };
}

const optionsOf = ({ port, ca }: Demo) => ({ port, ca, servername: DEMO_CONTROLLER });

/** Its exit code, once all that it has started is gone as well. */
async function endBy(signal: NodeJS.Signals, { child }: Demo): Promise<unknown> {
  const over = once(child, 'close');
  child.kill(signal);
  child.stdout?.resume();
  return (await over)[0];
}

test('hosts that run and say what changed, one slow and one refusing, until Ctrl-C', async () => {
  const demo = await startDemo();
  const { password, said, folder } = demo;
  const bob = await signedIn(optionsOf(demo), { name: 'bob', password });
  const { jobs } = await bob.ask('jobs');
  expect(jobs).toMatchObject([{ noop: true }]);
  // What they may, and what they see, is cut to their hosts.
  const { chosen } = await bob.ask('hosts/resolve', { choice: { all: true } });
  expect(chosen).toBe(DEMO_HOSTS.filter(({ group }) => group === 'web').length);
  await expect.poll(async () => await bob.ask('jobs/last')).toMatchObject({ state: 'done', hosts: chosen });
  const { groups } = await bob.ask('jobs/last/changes');
  expect(groups[0].resources[0]).toMatchObject({ status: 'pending', events: [{ status: 'noop' }] });
  const [, ...words] = (/^ {2}(kick jobs .+)$/m.exec(said)?.[1] ?? '').split(' ');
  expect(kickNow(words).out).toContain('A first look');

  expect(await endBy('SIGINT', demo)).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test('as it is installed, without what only developers have: page and sign-in; SIGTERM ends it', async () => {
  const demo = await startDemo([process.execPath, installed()]);
  const asking = request({ ...optionsOf(demo), host: '127.0.0.1', path: '/', agent: false });
  asking.end();
  const [page] = await once(asking, 'response');
  expect(page.statusCode).toBe(200);
  expect(await text(page)).toMatch(/<script type="module"/);
  const alice = await signedIn(optionsOf(demo), { name: 'alice', password: demo.password });
  expect(await alice.ask('session')).toMatchObject({ name: 'alice', role: 'admin' });
  expect(await endBy('SIGTERM', demo)).toBe(0);
  expect(readdirSync(demo.folder)).toEqual([]);
});

test('which ends while it is starting, or cannot listen, leaves nothing behind either', async () => {
  const folder = tempFolder();
  const env = { ...process.env, TMPDIR: folder };
  const starting = spawn(process.execPath, [PROGRAM, 'demo', '--web', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  afterwards(() => starting.kill('SIGKILL'));
  await expect.poll(() => readdirSync(folder)).toHaveLength(1);
  const over = once(starting, 'close');
  starting.kill('SIGTERM');
  expect(await over).toEqual([0, null]);
  expect(readdirSync(folder)).toEqual([]);

  const first = await startDemo();
  const second = kickNow(['demo', '--web', '--port', String(first.port)], { env });
  expect(second).toMatchObject({ code: 2, out: '' });
  expect(second.err).toMatch(/hint: .*--port/);
  expect(readdirSync(folder)).toEqual([]);
  expect(kickNow(['demo', '--port', '9443'])).toMatchObject({ code: 2 });
  expect(kickNow(['demo', '--web', '--sample'])).toMatchObject({ code: 2 });
});

/** The program beside nothing but what `npm ci --omit=dev` installs. */
function installed(): string {
  const folder = tempFolder();
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<{ dev?: true }>(lock.packages);
  const needed = packages.filter(([path, { dev }]) => path !== '' && dev !== true).map(([path]) => path);
  for (const path of ['dist', 'package.json', ...needed]) {
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  expect(existsSync(join(folder, 'node_modules', 'express'))).toBe(true);
  expect(existsSync(join(folder, 'node_modules', 'tsx'))).toBe(false);
  return join(folder, 'dist', 'bin.js');
}
