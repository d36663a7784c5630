/** What a run may do, and what is done about it: output, time limit, children, surroundings, disks. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { prepareFolders } from '../../src/agent/layout.ts';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import { identify } from '../../src/util/proc.ts';
import { tempFolder } from '../support/temp.ts';
import { clockFromNow, command, fixture, kick, refusalOf, requestOf, startAgent } from './harness.ts';

const isRoot = process.getuid?.() === 0;
const pidsIn = (path: string) =>
  existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [];

function linesOf(events: readonly { type: string }[]): string[] {
  return events.flatMap((event) =>
    event.type === 'log'
      ? (event as unknown as { lines: { message: string }[] }).lines.map(({ message }) => message)
      : [],
  );
}

test('100 MB of output: head and tail are kept, the run is not blocked', async () => {
  const folder = tempFolder();
  const limits = { head: 1 << 20, tail: 16 << 10, file: 4 << 20 };
  const agent = await startAgent(folder, { runner: command('prints-much', '100'), outputLimits: limits });
  const before = process.memoryUsage().rss;
  const one = await kick(agent);
  const { outcome, run } = await one.finished;
  expect(outcome).toBe('unchanged');
  const lines = linesOf(one.events);
  expect(lines[0]).toBe('the first line');
  expect(lines.at(-1)).toBe('the last line');
  const dropped = one.events.find(({ type }) => type === 'dropped') as { bytes: number } | undefined;
  expect(dropped?.bytes).toBeGreaterThan(90e6);
  expect(statSync(join(folder, 'state', 'runs', run ?? '', 'events.ndjson')).size).toBeLessThan(3e6);
  expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
});

test('output without a newline at its end, and lines that are no text, are kept', async () => {
  const runner = commandRunner({
    argv: ['/bin/sh', '-c', 'printf "one\\n\\377\\000two\\nthree without end"'],
    runEnvironment: {},
  });
  const agent = await startAgent(tempFolder(), { runner });
  const one = await kick(agent);
  await one.finished;
  expect(linesOf(one.events)).toEqual(['one', expect.stringContaining('two'), 'three without end']);
});

test('what stands behind a great many blank lines is told', async () => {
  const runner = commandRunner({
    argv: ['/bin/sh', '-c', 'head -c 1000000 /dev/zero | tr "\\0" "\\n"; echo the end'],
    runEnvironment: {},
  });
  const agent = await startAgent(tempFolder(), { runner });
  const one = await kick(agent);
  await one.finished;
  expect(linesOf(one.events)).toEqual(['the end']);
});

test('a run past its limit is ended and timed-out', async () => {
  const folder = tempFolder();
  const agent = await startAgent(folder, { runner: command('hangs', join(folder, 'pid')) });
  const one = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 1 } }));
  expect(await one.finished).toMatchObject({ outcome: 'timed-out', exit: 143 });
});

test.each(['ignores-term', 'forks-child'])(
  '"%s" past its limit is killed after the grace, with its children',
  async (name) => {
    const folder = tempFolder();
    const clock = clockFromNow();
    const agent = await startAgent(folder, { runner: command(name, join(folder, 'pid')), clock });
    const one = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 3600 } }));
    const all = name === 'forks-child' ? 2 : 1;
    await expect.poll(() => pidsIn(join(folder, 'pid'))).toHaveLength(all);
    await one.until('started');
    clock.forward(3_700_000);
    expect((await one.finished).outcome).toBe('timed-out');
    for (const pid of pidsIn(join(folder, 'pid'))) await expect.poll(() => identify(pid)).toBeUndefined();
  },
);

test('a run inherits nothing of the agent', async () => {
  const names = { RUBYOPT: '-rx', LD_PRELOAD: '/x.so', KICK_SECRET: 'x' };
  Object.assign(process.env, names);
  onTestFinished(() => {
    for (const name of Object.keys(names)) delete process.env[name];
  });
  const runner = commandRunner({
    argv: [fixture('environment')],
    runEnvironment: { HTTP_PROXY: 'http://p' },
  });
  const agent = await startAgent(tempFolder(), { runner });
  const one = await kick(agent);
  await one.finished;
  const lines = linesOf(one.events);
  expect(lines.filter((line) => /RUBYOPT|LD_PRELOAD|KICK_|NODE_/.test(line))).toEqual([]);
  expect(lines).toEqual(expect.arrayContaining(['HTTP_PROXY=http://p', 'LANG=C.UTF-8', '0022', '1024', '/']));
});

test('a program that is missing, or that others can write, is failed with that reason and the lock free', async () => {
  const folder = tempFolder();
  const program = join(folder, 'program');
  const agent = await startAgent(folder, { runner: commandRunner({ argv: [program], runEnvironment: {} }) });
  const why = async () => (await (await kick(agent)).finished).message;
  expect(await why()).toContain('it is missing or not executable');
  writeFileSync(program, '#!/bin/sh\nexit 2\n');
  expect(await why()).toContain('it is missing or not executable');
  chmodSync(program, 0o777);
  expect(await why()).toContain('can be written by others');
  chmodSync(program, 0o755);
  expect((await (await kick(agent)).finished).outcome).toBe('changed');
});

test('folders that are links, files, or open to others are refused', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  const run = join(folder, 'run');
  await expect(prepareFolders(join(folder, 'link'), run)).rejects.toThrow(/it is a symbolic link/);
  await expect(prepareFolders(join(folder, 'file'), run)).rejects.toThrow(
    /it is not a folder|EEXIST|ENOTDIR/,
  );
  await expect(prepareFolders(join(folder, 'open'), run)).rejects.toThrow(/can be written by others/);
  mkdirSync(join(folder, 'run2'));
  symlinkSync('/etc/passwd', join(folder, 'run2', 'run.lock'));
  await expect(prepareFolders(join(folder, 'state'), join(folder, 'run2'))).rejects.toThrow(/symbolic link/);
  if (isRoot) {
    mkdirSync(join(folder, 'theirs'));
    chownSync(join(folder, 'theirs'), 65_534, 65_534);
    await expect(prepareFolders(join(folder, 'theirs'), run)).rejects.toThrow(/belongs to another user/);
  }
});

/** A small disk of its own; undefined where we may not mount one. */
function smallDisk(path: string, megabytes: number): boolean {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', path], {
      stdio: 'ignore',
    });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  return true;
}

test('without space nothing is accepted and nothing runs', async ({ skip }) => {
  const folder = tempFolder();
  if (!smallDisk(join(folder, 'run'), 8)) skip('needs to mount a tmpfs');
  const journal = join(folder, 'journal');
  const agent = await startAgent(folder, { runner: command('hangs', journal) });
  expect(await refusalOf(kick(agent))).toBe('no-space');
  expect(existsSync(journal)).toBe(false);
});

test('a disk that fills during a run is that run failure, and the state stays whole', async ({ skip }) => {
  const folder = tempFolder();
  const disk = join(folder, 'run');
  if (!smallDisk(disk, 24)) skip('needs to mount a tmpfs');
  const program = join(folder, 'fills');
  const filler = join(disk, 'filler');
  writeFileSync(program, `#!/bin/sh\necho begin\nhead -c 64M /dev/zero >'${filler}' || exit 1\n`, {
    mode: 0o755,
  });
  const agent = await startAgent(folder, { runner: commandRunner({ argv: [program], runEnvironment: {} }) });
  const one = await kick(agent);
  const finished = await one.finished;
  expect(['failed', 'interrupted']).toContain(finished.outcome);
  execFileSync('rm', [filler]);
  writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  expect((await (await kick(agent)).finished).outcome).toBe('unchanged');
});

test('a run whose own output fills the run folder ends as it ended, and what was lost is counted', async ({
  skip,
}) => {
  const folder = tempFolder();
  if (!smallDisk(join(folder, 'run'), 24)) skip('needs to mount a tmpfs');
  const argv = ['/bin/sh', '-c', 'yes "a line" 2>/dev/null | head -c 60000000; exit 2'];
  const agent = await startAgent(folder, { runner: commandRunner({ argv, runEnvironment: {} }) });
  for (let times = 0; times < 2; times++) {
    const one = await kick(agent);
    expect(await one.finished).toMatchObject({ outcome: 'changed', exit: 2 });
    expect(one.events.some(({ type }) => type === 'dropped')).toBe(true);
  }
});
