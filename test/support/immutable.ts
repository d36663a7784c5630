/** Files that even root cannot remove or change (chattr(1)), where the file system knows them. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp.ts';

export const canSet = (() => {
  const path = join(tempFolder(), 'file');
  writeFileSync(path, '');
  const { status } = spawnSync('chattr', ['+i', path]);
  spawnSync('chattr', ['-i', path]);
  return status === 0;
})();

/** Also if it is moved somewhere else in `folder` it can be removed after the test. */
export function setImmutable(folder: string, path: string): boolean {
  onTestFinished(() => void spawnSync('chattr', ['-R', '-i', folder]));
  return spawnSync('chattr', ['+i', path]).status === 0;
}
