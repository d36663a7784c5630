/** What every package holds: the program and its Node below /usr/lib/kick, and the command. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/cli/version.ts';
import { ROOT } from '../../tools/program.ts';
import { writeBundle } from './bundle.ts';
import { commitOf } from './commit.ts';
import { type Architecture, writeNode } from './node-runtime.ts';

/** It works from any place and by a link. As installed it starts no other program: every start of kick would pay for that. */
const COMMAND = `#!/bin/sh
self=$0
case $self in
  /*/bin/kick) [ -L "$self" ] && self=$(readlink -f -- "$self") ;;
  *) self=$(readlink -f -- "$self") ;;
esac
lib=\${self%/bin/kick}/lib/kick
exec "$lib/node" "$lib/kick.mjs" "$@"
`;

export interface TreeOptions {
  architecture: Architecture;
  /** What it is installed by: `deb`, `rpm` or `tar`. */
  origin: string;
}

/** Writes usr/lib/kick and usr/bin/kick into `folder`, of what `npm run build` has made. */
export async function writeTree(folder: string, { architecture, origin }: TreeOptions): Promise<void> {
  const [lib, bin] = [join(folder, 'usr/lib/kick'), join(folder, 'usr/bin')];
  for (const one of [lib, bin]) mkdirSync(one, { recursive: true });
  await writeBundle(lib, { version: version(), commit: commitOf(ROOT), origin });
  cpSync(join(ROOT, 'dist/web/app'), join(lib, 'page'), { recursive: true });
  await writeNode(join(lib, 'node'), architecture);
  writeFileSync(join(bin, 'kick'), COMMAND, { mode: 0o755 });
}
