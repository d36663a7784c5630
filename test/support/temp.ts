import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of this test's own, removed when the test has finished. */
export function tempFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'kick-test-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
