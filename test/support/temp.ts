import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that its maker removes. */
export function throwawayFolder(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'kick-test-')));
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
  };
}

/** A folder of this test's own, removed when the test has finished. */
export function tempFolder(): string {
  const folder = throwawayFolder();
  onTestFinished(folder.remove);
  return folder.path;
}
