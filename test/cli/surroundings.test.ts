/** Odd surroundings of the real program: variables, folders that are files, pipes, input without end, descriptors that are closed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { KICK } from '../../tools/program.ts';
import { silentTerminal } from '../../tools/silent-terminal.ts';
import { tempFolder } from '../support/temp.ts';

const NAME = 'puppet.example.com';
const ca = mintCa();

/** A controller's folder, and paths of every kind in it. */
function place() {
  const folder = tempFolder();
  const path = (name: string) => join(folder, name);
  ca.write(path('pki'), ca.issue(NAME));
  mkdirSync(path('etc'));
  mkdirSync(path('closed'));
  chmodSync(path('closed'), 0);
  writeFileSync(path('file'), 'web1\n');
  writeFileSync(path('bytes'), Buffer.from([0xff, 0x00, 0x0a, 0xc3]));
  symlinkSync('loop', path('loop'));
  symlinkSync('nowhere', path('broken'));
  execFileSync('mkfifo', [path('fifo')]);
  const odd = [
    'file',
    'bytes',
    'loop',
    'broken',
    'fifo',
    'missing',
    'file/below',
    'l'.repeat(300),
    'closed/x',
  ];
  return { folder, path, odd: [...odd.map(path), '/dev/null', '/dev/full', '/proc/self/mem'] };
}

interface Run {
  env?: Record<string, string | undefined>;
  input?: string | Buffer;
  /** Shell redirections: `<&-`. */
  where?: string;
}

function run(words: readonly string[], { env = {}, input = '', where = '' }: Run = {}) {
  const line = `exec "$@" ${where}`;
  const { status, stdout, stderr, signal } = spawnSync('/bin/sh', ['-c', line, 'sh', ...KICK, ...words], {
    // Where Puppet is installed, it would be asked for its settings each time.
    env: { PATH: '/usr/bin:/bin', NO_COLOR: '1', KICK_PUPPET: '/nonexistent/puppet', ...env },
    input,
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const what = JSON.stringify([words, env, where]).slice(0, 500);
  expect(signal, what).toBeNull();
  expect([0, 1, 2, 3, 4, 74, 75, 130], `${what}\n${stderr}`).toContain(status);
  expect(stderr, what).not.toMatch(/^\s+at .*:\d+|error of kick itself|undefined|\[object/m);
  expect(stderr.length, what).toBeLessThan(64 << 10);
  return { code: status, out: stdout, err: stderr };
}

/** The same in this process, which takes a hundredth of the time. */
async function runHere(words: readonly string[], env: Record<string, string>) {
  let [out, err, code] = ['', '', 0];
  const terminal: Terminal = {
    ...{
      isTty: false,
      color: false,
      columns: () => 80,
      rows: () => 24,
      outColumns: () => undefined,
      draw() {},
    },
    out: (text) => (out += text),
    err: (text) => (err += text),
  };
  const exit = (given: number) => {
    code = given;
  };
  await runCommandLine(words, { terminal, env: { PATH: '/nowhere', ...env }, exit });
  const what = `${JSON.stringify(words).slice(0, 500)}\n${err}`;
  expect([0, 1, 2, 3, 4, 75], what).toContain(code);
  expect(err, what).not.toMatch(/error of kick itself|undefined/);
  return { code, out, err };
}

/** Commands that read or write what lies in these folders. */
const READERS: readonly (readonly [words: readonly string[], options: readonly string[]])[] = [
  [
    ['nodes', 'a.b'],
    ['--config-dir', '--pki-dir', '--state-dir', '--puppet'],
  ],
  [['jobs'], ['--state-dir', '--config-dir']],
  [['jobs', 'show', 'last'], ['--state-dir']],
  [['jobs', 'stop', 'last'], ['--state-dir']],
  [
    ['rerun', 'last', '--dry-run'],
    ['--state-dir', '--pki-dir'],
  ],
  [
    ['run', 'nosuch.invalid', '--lock', 'x', '--connect-timeout', '1s'],
    ['--state-dir', '--config-dir'],
  ],
  [
    ['ping', 'nosuch.invalid', '--connect-timeout', '1s'],
    ['--pki-dir', '--state-dir'],
  ],
  [
    ['doctor', '--local'],
    ['--config-dir', '--state-dir', '--run-dir', '--pki-dir', '--puppet'],
  ],
  [['pki', 'list'], ['--pki-dir']],
  [['pki', 'init'], ['--pki-dir']],
  [['pki', 'issue', 'a.b', '--role', 'agent'], ['--pki-dir']],
  [['pki', 'revoke', 'a.b'], ['--pki-dir']],
  [['user', 'list'], ['--state-dir']],
  [['completion', 'bash'], []],
  [['__complete', '--', 'nodes', 'a'], []],
];

test('a path that is not what it should be is an error that says so', async () => {
  const { odd, path } = place();
  const own = {
    ...{ KICK_CONFIG_DIR: path('etc'), KICK_STATE_DIR: path('state'), KICK_PKI_DIR: path('pki') },
    ...{ KICK_RUN_DIR: path('run'), KICK_CERTNAME: NAME },
  };
  for (const [words, options] of READERS) {
    await runHere(words, own);
    for (const option of options) for (const one of odd) await runHere([...words, option, one], own);
  }
});

test.each(['inventory.yaml', 'controller.yaml', 'agent.yaml'])(
  'whatever is in the place of %s, it is an error that says so',
  async (name) => {
    const { odd, path } = place();
    for (const [index, one] of odd.entries()) {
      const etc = path(`etc${index}`);
      mkdirSync(etc);
      symlinkSync(one, join(etc, name));
      const env = { KICK_CONFIG_DIR: etc, KICK_STATE_DIR: path('state'), KICK_PKI_DIR: path('pki') };
      await runHere(['nodes', 'a.b'], env);
      await runHere(['doctor', '--local'], { ...env, KICK_RUN_DIR: path('run') });
    }
  },
);

test('a list of nodes may be anything that can be read', async () => {
  const { odd, path } = place();
  for (const one of odd.filter((name) => name !== path('fifo')))
    await runHere(['nodes', '--nodes-file', one, '--no-fqdn'], { KICK_CONFIG_DIR: path('etc') });
});

test('a lock, a store or metrics where something else lies cost an error or a warning, never the machine', async () => {
  const { folder, path } = place();
  const env = { KICK_CONFIG_DIR: path('etc'), KICK_STATE_DIR: path('state'), KICK_PKI_DIR: path('pki') };
  const kick = ['nosuch.invalid', '--connect-timeout', '1s', '--lock', 'nightly'];
  mkdirSync(path('state'));
  writeFileSync(path('state/locks'), '');
  expect(await runHere(kick, { ...env, KICK_CERTNAME: NAME })).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^kick: take the lock "nightly": E(EXIST|NOTDIR): .*locks/m),
  });
  rmSync(path('state/locks'));
  writeFileSync(path('state/jobs'), '');
  writeFileSync(path('etc/controller.yaml'), JSON.stringify({ metrics_file: path('device.prom') }));
  symlinkSync('/dev/null', path('device.prom'));
  const { code, err } = await runHere(kick, { ...env, KICK_CERTNAME: NAME });
  expect(code).toBe(3);
  expect(err).toMatch(/is not recorded; its hosts run anyway/);
  expect(err).toMatch(/device.prom" cannot be written: it is a device/);
  expect(lstatSync(join(folder, 'device.prom')).isSymbolicLink()).toBe(true);
});

test('stdin without end is refused, and so is a name without end', () => {
  const { path } = place();
  const env = { KICK_CONFIG_DIR: path('etc') };
  const nodes = (input: string | Buffer) => run(['nodes', '--nodes-file', '-', '--no-fqdn'], { env, input });
  const { code, err } = nodes(Buffer.alloc(80 << 20, 'web1\n'));
  expect(code).toBe(2);
  expect(err).toContain('read the list of nodes "-": it is larger than 67108864 bytes');
  expect(nodes(Buffer.alloc(10 << 20, 'a')).err).toContain('is longer than any name');
  expect(
    run(['user', 'add', 'anna'], { env: { KICK_STATE_DIR: path('state') }, input: 'x'.repeat(5000) }),
  ).toMatchObject({
    code: 2,
    err: expect.stringContaining('read the password from stdin: it is larger than 4096 bytes'),
  });
  expect(nodes(Buffer.alloc(60 << 20, 'a\n')).err).toContain('it names more than 250000 hosts');
});

test.each<Record<string, string>>([
  { HOME: '' },
  { HOME: '/nowhere' },
  { TERM: '' },
  { TERM: 'dumb' },
  { TERM: '\u001b[2J' },
  { COLUMNS: '0' },
  { COLUMNS: '-1' },
  { COLUMNS: '1000000000' },
  { LANG: 'xx_YY.nonsense', LC_ALL: 'C' },
  { TZ: 'Mars/Phobos' },
  { TZ: ':/etc/passwd' },
  { NO_COLOR: 'x', FORCE_COLOR: '3' },
  { KICK_DEBUG: '1' },
  { KICK_CONFIG_DIR: '' },
  { KICK_STATE_DIR: '' },
  { KICK_PKI_DIR: '', KICK_CERTNAME: '' },
  { KICK_CERTNAME: '../x' },
  { KICK_PUPPET: 'relative' },
  { PATH: '' },
  { PATH: ':::/dev/null' },
  { SUDO_USER: '\u001b[2J\u202e' },
  { NODE_OPTIONS: '--no-warnings' },
])('the variables %j end nothing', (env) => {
  const { path } = place();
  const own = { KICK_CONFIG_DIR: path('etc'), KICK_STATE_DIR: path('state'), KICK_PKI_DIR: path('pki') };
  const all = { ...own, KICK_CERTNAME: NAME, ...env };
  const { code } = run(['nosuch.invalid', '--connect-timeout', '1s', '--reason', 'x'], { env: all });
  // Whatever is not our own is no reason to ask nobody.
  if (!Object.keys(env).some((name) => /^KICK_(?!DEBUG)/.test(name))) expect(code).toBe(3);
});

test.each([
  '<&-',
  '>&-',
  '2>&-',
  '<&- >&- 2>&-',
  '</dev/null >/dev/null 2>/dev/null',
  '>/dev/full 2>/dev/full',
])('descriptors %s end nothing', (where) => {
  const { path } = place();
  const env = { KICK_CONFIG_DIR: path('etc'), KICK_STATE_DIR: path('state') };
  for (const words of [['nodes', '--nodes-file', '-'], ['--version'], ['jobs']]) run(words, { env, where });
});

test('an error has no colours, even on a terminal: those in it are of a name', async () => {
  let said = '';
  const terminal: Terminal = { ...silentTerminal, isTty: true, color: true, err: (text) => (said += text) };
  await runCommandLine(['\u001b[31mred', 'help'], { terminal, env: {}, exit() {} });
  expect(said).toContain('\\x1b[31mred');
  expect(said).not.toContain('\u001b');
});
