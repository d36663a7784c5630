/**
 * `npm run package`: the program with its own Node.
 *
 *     npm run package                     deb and rpm, into packaging/out
 *     npm run package -- --format deb     deb or rpm; repeat it for more
 *     npm run package -- --arch arm64     amd64 or arm64; repeat it for more, default: both
 *     npm run package -- --out DIR        into another folder
 *     npm run package -- --quick          not compressed, which takes a minute each
 *     npm run package -- --tree DIR       only what lies below /usr/lib/kick and /usr/bin
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../src/cli/version.ts';
import { messageOf } from '../src/errors.ts';
import { ROOT } from '../tools/program.ts';
import { throwawayFolder } from '../tools/throwaway-folder.ts';
import { build } from './package/build.ts';
import { sourceDate } from './package/commit.ts';
import { writeDebs } from './package/deb.ts';
import {
  ARCHITECTURE_NAMES,
  type Architecture,
  architectureFrom,
  ownArchitecture,
} from './package/node-runtime.ts';
import { writeRpms } from './package/rpm.ts';
import { writeTree } from './package/tree.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tree: { type: 'string' },
      arch: { type: 'string', multiple: true, default: [] },
      format: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: join(ROOT, 'packaging', 'out') },
      quick: { type: 'boolean', default: false },
    },
  });
  const architectures = values.arch.map(architectureFrom);
  const formats = values.format.length === 0 ? FORMAT_NAMES : values.format.map(formatFrom);
  build(ROOT);
  if (values.tree !== undefined) {
    const [architecture = ownArchitecture()] = architectures;
    await writeTree(values.tree, { architecture, origin: 'tar' });
    return;
  }
  for (const format of formats) {
    for (const architecture of architectures.length === 0 ? ARCHITECTURE_NAMES : architectures)
      await writePackages(values.out, { format, architecture, isQuick: values.quick });
  }
}

const FORMATS = { deb: writeDebs, rpm: writeRpms } as const;
type Format = keyof typeof FORMATS;
const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

function formatFrom(name: string): Format {
  const found = FORMAT_NAMES.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Error(`there is no format "${name}": only ${FORMAT_NAMES.join(' and ')}`);
}

async function writePackages(
  folder: string,
  { format, architecture, isQuick }: { format: Format; architecture: Architecture; isQuick: boolean },
): Promise<void> {
  const work = throwawayFolder({ prefix: 'kick-package-' });
  try {
    const tree = join(work.path, 'tree');
    await writeTree(tree, { architecture, origin: format });
    await FORMATS[format](folder, {
      tree,
      architecture,
      version: version(),
      date: sourceDate(ROOT),
      compression: isQuick ? 'none' : 'xz',
    });
  } finally {
    work.remove();
  }
}

try {
  await main();
} catch (error) {
  console.error(`package: ${messageOf(error)}`);
  process.exitCode = 1;
}
