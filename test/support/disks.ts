/** Small disks in a name space of mounts of their own, to be filled or made read-only. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { systemCode } from '../../src/errors.ts';

export const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** A process with small disks of its own on these folders; its name space ends with the test. */
export async function disksOn(folders: readonly string[]): Promise<number> {
  for (const folder of folders) mkdirSync(folder, { mode: 0o700 });
  const script =
    'for folder; do mount -t tmpfs -o size=20m,mode=700 tmpfs "$folder" || exit; done; echo ready; exec sleep 100000';
  const holder = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...folders],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  return holder.pid ?? 0;
}

/** Takes all space that is left. */
export function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [1 << 16, 4096, 1]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, bytes: Buffer): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  }
}
