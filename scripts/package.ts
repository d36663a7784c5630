/**
 * `npm run package`: the program with its own Node, as an operator installs it; the same bytes for the same commit.
 *
 *     npm run package                     deb, rpm, tar.gz and npm's tgz, SBOM and SHA256SUMS, into packaging/out
 *     npm run package -- --format deb     deb, rpm, tar or npm; repeat it for more
 *     npm run package -- --arch arm64     amd64 or arm64; repeat it for more, default: both
 *     npm run package -- --out DIR        into another folder, which must be empty
 *     npm run package -- --quick          debs and rpms that are not compressed, which takes a minute each
 *     npm run package -- --tree DIR       only what lies below /usr/lib/kick and /usr/bin
 *
 * scripts/package/sign signs SHA256SUMS.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
import { writeNpmPackage } from './package/npm-package.ts';
import { writeRpms } from './package/rpm.ts';
import { sbomText } from './package/sbom.ts';
import { writeSums } from './package/sums.ts';
import { writeTarball } from './package/tarball.ts';
import { writeTree } from './package/tree.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tree: { type: 'string' },
      arch: { type: 'string', multiple: true, default: [] },
      format: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
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
  const out = emptyFolder(values.out);
  const sbom = await sbomText();
  for (const format of formats) {
    if (format === 'npm') writeNpmPackage(out);
    else
      for (const architecture of architectures.length === 0 ? ARCHITECTURE_NAMES : architectures)
        await writePackages(out, { format, architecture, sbom, isQuick: values.quick });
  }
  writeFileSync(join(out, `kick-${version()}.cdx.json`), sbom);
  writeSums(out);
}

/** Ours is emptied; another that holds something is left as it is. */
function emptyFolder(given?: string): string {
  const out = given ?? join(ROOT, 'packaging', 'out');
  if (given === undefined) rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  if (readdirSync(out).length > 0) throw new Error(`"${out}" is not empty`);
  return out;
}

/** Those with a Node of their own, which are made for each architecture. */
const WITH_NODE = { deb: writeDebs, rpm: writeRpms, tar: writeTarball } as const;
type Format = keyof typeof WITH_NODE | 'npm';
const FORMAT_NAMES = [...(Object.keys(WITH_NODE) as (keyof typeof WITH_NODE)[]), 'npm'] as const;

function formatFrom(name: string): Format {
  const found = FORMAT_NAMES.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Error(`there is no format "${name}": only ${FORMAT_NAMES.join(', ')}`);
}

interface Wanted {
  format: keyof typeof WITH_NODE;
  architecture: Architecture;
  sbom: string;
  isQuick: boolean;
}

async function writePackages(folder: string, { format, architecture, sbom, isQuick }: Wanted): Promise<void> {
  const work = throwawayFolder({ prefix: 'kick-package-' });
  try {
    const tree = join(work.path, 'tree');
    await writeTree(tree, { architecture, origin: format });
    await WITH_NODE[format](folder, {
      tree,
      architecture,
      version: version(),
      date: sourceDate(ROOT),
      sbom,
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
