/** One agent for each state directory: one that was stopped, or hangs, keeps it; one that was killed frees it. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holdKernelLock } from '../../src/util/kernel-lock.ts';
import { agentSite, startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const unwanted = { label: 'folder', holder: async () => 'somebody' };

test('an agent does not begin beside one that is stopped, and begins once that one is killed', async () => {
  const site = agentSite(tempFolder(), { command: ['/bin/true'] });
  const first = await startRealAgent(site.command());
  process.kill(first.pid, 'SIGSTOP');
  const { code, text } = await endOf(site.command());
  expect(code).not.toBe(0);
  expect(text).toContain(`take the state directory "${site.stateDir}": it is held by pid ${first.pid}`);
  await first.kill('SIGKILL');
  const second = await startRealAgent(site.command());
  expect(second.pid).not.toBe(first.pid);
});

test('a kernel lock is held against everybody, and free once released', async () => {
  const path = join(tempFolder(), 'a.flock');
  const lock = await holdKernelLock(path, unwanted);
  await expect(holdKernelLock(path, unwanted)).rejects.toMatchObject({
    code: 'locked',
    message: 'take the folder: it is held by somebody',
  });
  lock.release();
  (await holdKernelLock(path, unwanted)).release();
});

test('a kernel lock that cannot be is an error that says why', async () => {
  await expect(holdKernelLock('/nonexistent/a.flock', unwanted)).rejects.toMatchObject({
    code: 'state',
    message: 'take the folder: open "/nonexistent/a.flock": ENOENT',
  });
});

test('a process that is started while the lock is held does not inherit it', async () => {
  const path = join(tempFolder(), 'a.flock');
  const lock = await holdKernelLock(path, unwanted);
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  lock.release();
  (await holdKernelLock(path, unwanted)).release();
});

/** How a command ended that is expected to, and all that it said. */
async function endOf([program = '', ...args]: readonly string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, args, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr });
    });
  });
}
