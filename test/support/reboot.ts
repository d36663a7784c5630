/** A restart of the host, for the folders of an agent. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from '../../tools/throwaway-folder.ts';
import { editStored } from './edit-stored.ts';

/** What a restart of the host does to an agent's folders: the tmpfs is empty, and the boot is another one. */
export function reboot({ stateDir, runDir }: { stateDir: string; runDir: string }): void {
  removeFolder(runDir); // a wrapper that is about to end may still write
  const requests = join(stateDir, 'requests');
  for (const name of readdirSync(requests)) {
    const path = join(requests, name, 'run.json');
    if (!existsSync(path)) continue;
    editStored(path, { boot: 'another boot' });
  }
}
