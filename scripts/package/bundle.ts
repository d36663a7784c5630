/** The program as a few files with all of its packages: an entry, and parts that are loaded when they are needed. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, relative } from 'node:path';
import { build, type Metafile, type Plugin, transform } from 'esbuild';
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
  const { metafile, outputFiles } = await build({
    write: false,
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
    plugins: [replacing, leavingOut, shortening],
    metafile: true,
    logLevel: 'warning',
  });
  const outside = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external === true && !isBuiltin(path));
  if (outside.length > 0) throw new Error(`not in the bundle: ${outside.map(({ path }) => path).join(', ')}`);
  if (write) for (const { path, text } of outputFiles) writePart(path, text);
  return metafile;
}

/**
 * What is CommonJS asks for Node's own modules by `require`, and does it in one place, esbuild's `__require`. As a
 * banner it would be made again in each part that an agent loads.
 */
function writePart(path: string, text: string): void {
  const asks = text.includes('typeof require<"u"');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, asks ? `const require=process.getBuiltinModule;${text}` : text, {
    mode: text.startsWith('#!') ? 0o755 : 0o644,
  });
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

/** Packages' own names are shortened, which saves an agent 0.4 MB; ours stay, for a stack trace that somebody sends. */
const shortening: Plugin = {
  name: 'shortening',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]node_modules[/\\].*\.[cm]?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minifyIdentifiers: true });
      return { contents: code, loader: 'js' };
    });
  },
};

const leavingOut: Plugin = {
  name: 'leaving-out',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'empty' }));
    onResolve({ filter: /^\.\/transport$/ }, ({ path, importer }) =>
      importer.includes('/pino/lib/') ? { path, namespace: 'empty' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: '{}', loader: 'json' }));
    // Express tells it what it does, for DEBUG=express:*.
    onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: 'silent' }));
    onLoad({ filter: /.*/, namespace: 'silent' }, () => ({ contents: 'module.exports = () => () => {};' }));
  },
};

/** Folders of the packages among the inputs of a bundle, such as `node_modules/express`, sorted. */
export function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort();
}
