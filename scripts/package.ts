/**
 * `npm run package`: the program with its own Node.
 *
 *     npm run package -- --tree DIR       only what lies below /usr/lib/kick and /usr/bin
 *     npm run package -- --arch arm64     amd64 or arm64; repeat it for more, default: both
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { ROOT } from '../tools/program.ts';
import { build } from './package/build.ts';
import { architectureFrom, ownArchitecture } from './package/node-runtime.ts';
import { writeTree } from './package/tree.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tree: { type: 'string' },
      arch: { type: 'string', multiple: true, default: [] },
    },
  });
  const architectures = values.arch.map(architectureFrom);
  build(ROOT);
  const [architecture = ownArchitecture()] = architectures;
  if (values.tree !== undefined) await writeTree(values.tree, { architecture, origin: 'tar' });
}

try {
  await main();
} catch (error) {
  console.error(`package: ${messageOf(error)}`);
  process.exitCode = 1;
}
