/** The folders that an agent makes are its own: others may pass through its state directory where an operator lets them, no more. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareFolders } from '../../src/agent/layout.ts';
import { tempFolder } from '../support/temp.ts';

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test.each([
  [0o700, 0o700],
  [0o711, 0o711],
  [0o755, 0o711],
  [0o750, 0o700],
])('prepareFolders makes a state directory of mode %o one of mode %o', async (before, after) => {
  const folder = tempFolder();
  const [stateDir, runDir] = [join(folder, 'state'), join(folder, 'run')];
  for (const path of [stateDir, runDir]) mkdirSync(path, { mode: before });
  const { requests, runs } = await prepareFolders(stateDir, runDir);
  expect(modeOf(stateDir)).toBe(after);
  for (const path of [runDir, requests, runs]) expect(modeOf(path)).toBe(0o700);
});
