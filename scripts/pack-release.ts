/**
 * The program of a released version as one file, for the tests in test/compat:
 *
 *     npx tsx scripts/pack-release.ts v0.1.0      a tag, or any other revision
 *
 * Writes test/compat/kick-VERSION.mjs.gz, the same bytes for the same revision. Its first line says version and commit. It is
 * committed, since a checkout may be shallow: the release before it need not be there.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../tools/program.ts';
import { throwawayFolder } from '../tools/throwaway-folder.ts';

/** What in src/ depends on the files around it: the version stands in package.json. */
const VERSION_FILE = /src\/cli\/version\.ts$/;
const PACKAGE_JSON = "readFileSync(new URL('../../package.json', import.meta.url), 'utf8')";

async function main([revision]: readonly string[]): Promise<void> {
  if (revision === undefined) throw new Error('which revision? npx tsx scripts/pack-release.ts v0.1.0');
  const commit = git('rev-parse', '--verify', `${revision}^{commit}`).toString().trim();
  const folder = throwawayFolder({ prefix: 'kick-release-' });
  try {
    execFileSync('tar', ['-x', '-C', folder.path], { input: git('archive', commit) });
    const quietly = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel', 'error'];
    execFileSync('npm', ['ci', ...quietly], { cwd: folder.path, stdio: 'inherit' });
    const manifest = readFileSync(join(folder.path, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    const program = await bundled(folder.path, version);
    const path = join('test', 'compat', `kick-${version}.mjs.gz`);
    writeFileSync(
      join(ROOT, path),
      gzipSync(`// kick ${version}, commit ${commit}\n${program}`, { level: 9 }),
    );
    process.stdout.write(`${path}: ${commit}\n`);
  } finally {
    folder.remove();
  }
}

async function bundled(folder: string, version: string): Promise<string> {
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: folder,
    entryPoints: ['src/bin.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'eof',
    // What is CommonJS asks for Node's own modules by it.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    plugins: [withVersion(version)],
    logLevel: 'warning',
  });
  return (outputFiles[0]?.text ?? '').replace(/^#!.*\n/, '');
}

const withVersion = (version: string): Plugin => ({
  name: 'with-version',
  setup({ onLoad }) {
    onLoad({ filter: VERSION_FILE }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes(PACKAGE_JSON)) throw new Error(`${path}: there is no ${PACKAGE_JSON}`);
      return {
        contents: text.replace(PACKAGE_JSON, JSON.stringify(`{"version":"${version}"}`)),
        loader: 'ts',
      };
    });
  },
});

function git(...words: string[]): Buffer {
  return execFileSync('git', words, { cwd: ROOT, maxBuffer: 1 << 30 });
}

await main(process.argv.slice(2));
