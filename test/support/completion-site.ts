/** A controller's folders with hosts, an alias and groups whose command must never run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp.ts';

export interface CompletionSite {
  folder: string;
  etc: string;
  /** Has `kick` in PATH and its folders. */
  env: Record<string, string>;
  job: string;
  /** Appears if the command of a group was run. */
  ran: string;
}

/** `program` is what `kick` in the PATH runs. */
export function completionSite(program: readonly string[]): CompletionSite {
  const folder = tempFolder();
  const [etc, bin, state, ran] = ['etc', 'bin', 'state', 'ran'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const job = '019ab123-0000-7000-8000-0000e41c07aa';
  for (const path of [etc, bin, join(state, 'jobs', job)]) mkdirSync(path, { recursive: true });
  const quoted = program.map((word) => `'${word}'`).join(' ');
  writeFileSync(join(bin, 'kick'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  const inventory = {
    targets: [
      { name: 'web1.example.com', alias: 'front' },
      { name: 'web2.example.com' },
      { name: 'db.example.com', alias: ['oracle-db', 'oracle-old'] },
    ],
    groups: [{ name: 'dmz', targets: ['web1.example.com'] }],
  };
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify(inventory));
  const groups = { asked: { command: ['/usr/bin/touch', ran] } };
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ groups }));
  writeFileSync(join(folder, 'nodes.txt'), '');
  mkdirSync(join(folder, 'nodes.d'));
  return {
    ...{ folder, etc, job, ran },
    env: { PATH: `${bin}:/usr/bin:/bin`, KICK_CONFIG_DIR: etc, KICK_STATE_DIR: state, HOME: folder },
  };
}
