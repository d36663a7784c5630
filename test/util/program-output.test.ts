/** The output of a program, real ones in sh: what it prints, and what it leaves behind. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { outputOf, type ProgramOptions } from '../../src/util/program-output.ts';
import { tempFolder } from '../support/temp.ts';

const run = async (script: string, options: Partial<ProgramOptions> = {}) => {
  const limits = { timeoutMs: 600_000, maxBytes: 1 << 20, env: { PATH: process.env['PATH'] ?? '' } };
  return (await outputOf(['/bin/sh', '-c', script], { ...limits, ...options })).toString();
};

/** A child that sleeps, killed when the test has finished, and whether it is still there. */
function child() {
  const file = join(tempFolder(), 'pid');
  const pid = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
  const isThere = () => pid() > 0 && existsSync(`/proc/${pid()}/cmdline`) && !isZombie(pid());
  onTestFinished(() => {
    if (isThere()) process.kill(pid(), 'SIGKILL');
  });
  // Until then it may be a copy of the shell, still in its group.
  const isSleep = () => isThere() && readFileSync(`/proc/${pid()}/comm`, 'utf8') === 'sleep\n';
  return { note: `echo $! >'${file}'`, isThere, isSleep };
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

test('outputOf returns all that was printed, also what comes while the program ends', async () => {
  expect(await run('echo one; echo two >&2; echo three')).toBe('one\nthree\n');
  const long = await run('head -c 1000000 /dev/zero');
  expect(long).toHaveLength(1_000_000);
});

test.each([
  ['in its group', 'sleep 3600 &'],
  ['in a session of its own', 'setsid sleep 3600 &'],
])('outputOf does not wait for a child %s that holds stdout, and leaves it alone', async (_where, start) => {
  const left = child();
  const onHeld = vi.fn();
  expect(await run(`${start} ${left.note}; echo web1`, { quietMs: 100, onHeld })).toBe('web1\n');
  expect(onHeld).toHaveBeenCalledOnce();
  expect(left.isThere()).toBe(true);
});

test('outputOf takes what a child prints soon after the program is over', async () => {
  expect(await run('(sleep 0.1; echo late) & echo early', { quietMs: 60_000 })).toBe('early\nlate\n');
});

test('outputOf kills a program that hangs with all its children, and does not wait for those that got away', async () => {
  const [inside, outside] = [child(), child()];
  const script = `sleep 3600 & ${inside.note}; setsid sleep 3600 & ${outside.note}; wait`;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const running = run(script, { timeoutMs: 1000 });
  await expect.poll(() => inside.isSleep() && outside.isSleep()).toBe(true);
  vi.advanceTimersByTime(1000);
  await expect(running).rejects.toThrow('it did not end within 1 s');
  await expect.poll(inside.isThere).toBe(false);
  expect(outside.isThere()).toBe(true);
});

test('outputOf kills a child that prints without end once the program is over', async () => {
  const left = child();
  const script = `yes & ${left.note}; exit 0`;
  await expect(run(script, { maxBytes: 100_000 })).rejects.toThrow('it printed more than 100000 bytes');
  await expect.poll(left.isThere).toBe(false);
});

test('outputOf says how a program failed, or why it did not start', async () => {
  await expect(run('echo why >&2; exit 3')).rejects.toThrow('it ended with exit code 3: why');
  await expect(run('kill -9 $$')).rejects.toThrow('it was ended by SIGKILL');
  const limits = { timeoutMs: 600_000, maxBytes: 10, env: {} };
  await expect(outputOf(['/nowhere/x'], limits)).rejects.toThrow(/ENOENT/);
  await expect(outputOf(['/bin/sh', 'a\0b'], limits)).rejects.toThrow(/null bytes/);
});
