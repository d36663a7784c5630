/** The program as a few files with all of its packages: an entry, and parts that are loaded when they are needed. */

import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { ROOT } from '../../tools/program.ts';

/**
 * What in src/ depends on where its files lie. In the bundle these are in `parts/`, beside `page/`; and what is loaded by
 * createRequire, for Node's sake, is part of it.
 */
const REPLACED: Readonly<Record<string, readonly [string, string]>> = {
  'src/web/server/http/page.ts': [
    "import.meta.dirname, '..', '..', 'app'",
    "import.meta.dirname, '..', 'page'",
  ],
  'src/cli/commander.ts': ["createRequire(import.meta.url)('commander')", "require('commander')"],
};

/**
 * What nothing here uses, though Express and pino ask for it when they are loaded: a table of file types, parsers of bodies
 * and of nested queries, what sends files, and workers that log.
 */
const UNUSED = /^(mime-db|body-parser|qs|send|serve-static|thread-stream)$/;

/** What `kick --version --verbose` tells. */
export interface Stamp {
  version: string;
  commit: string;
  /** What it is installed by: `deb`, `rpm` or `tar`. */
  origin: string;
}

/** Writes kick.mjs and parts/ into `folder`. Throws if something is left outside that is not Node's. */
export async function writeBundle(folder: string, stamp: Stamp): Promise<void> {
  await bundle(folder, stamp, { write: true });
}

/** The npm packages of which something is in the bundle: their folders, such as `node_modules/express`. */
export async function packagesOfProgram(): Promise<string[]> {
  return packagesIn(await bundle('dist', { version: '', commit: '', origin: '' }, { write: false }));
}

async function bundle(folder: string, stamp: Stamp, { write }: { write: boolean }): Promise<Metafile> {
  const { metafile } = await build({
    write,
    absWorkingDir: ROOT,
    entryPoints: { kick: 'src/bin.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    define: { KICK_BUNDLE: JSON.stringify(stamp) },
    // What is CommonJS asks for Node's own modules by it.
    banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
    plugins: [replacing, leavingOut],
    metafile: true,
    logLevel: 'warning',
  });
  const outside = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external === true && !isBuiltin(path));
  if (outside.length > 0) throw new Error(`not in the bundle: ${outside.map(({ path }) => path).join(', ')}`);
  return metafile;
}

const replacing: Plugin = {
  name: 'replacing',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const [from, to] = REPLACED[relative(ROOT, path)] ?? [];
      if (from === undefined || to === undefined) return undefined;
      const text = await readFile(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${path}: there is no ${from}`);
      return { contents: text.replace(from, to), loader: 'ts' };
    });
  },
};

const leavingOut: Plugin = {
  name: 'leaving-out',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'empty' }));
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: '{}', loader: 'json' }));
  },
};

/** Folders of the packages among the inputs of a bundle, such as `node_modules/express`, sorted. */
export function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort();
}
