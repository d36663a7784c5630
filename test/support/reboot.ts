import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a restart of the host does to an agent's folders: the tmpfs is empty, and the boot is another one. */
export function reboot({ stateDir, runDir }: { stateDir: string; runDir: string }): void {
  // A wrapper that is about to end may still write.
  rmSync(runDir, { recursive: true, force: true, maxRetries: 20 });
  const requests = join(stateDir, 'requests');
  for (const name of readdirSync(requests)) {
    const path = join(requests, name, 'run.json');
    if (!existsSync(path)) continue;
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), boot: 'another boot' }));
  }
}
