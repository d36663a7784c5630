/** A fleet whose maker is killed leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { addressOf } from '../../tools/fleet/plan.ts';
import { freePort } from '../../tools/loopback.ts';
import { ROOT } from '../../tools/program.ts';

const TSX = import.meta.resolve('tsx');

/** Resolves to the fleet's folder once its hosts listen. */
async function folderOf(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const data of child.stdout ?? []) {
    said += data;
    const etc = /--config-dir (\S+)/.exec(said)?.[1];
    if (etc !== undefined) return dirname(etc);
  }
  throw new Error(said);
}

test.each(['SIGKILL', 'SIGTERM'] as const)('by %s', async (signal) => {
  const port = await freePort(addressOf(0));
  const words = [join(ROOT, 'tools', 'fleet', 'fleet.ts'), '--hosts', '4', '--port', String(port)];
  const child = spawn(process.execPath, ['--import', TSX, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const folder = await folderOf(child);
  expect(existsSync(folder)).toBe(true);
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
  await expect.poll(() => existsSync(folder)).toBe(false);
});
