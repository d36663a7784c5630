/** The npm packages of which something is in our packages. */
import { type BuildOptions, build } from 'esbuild';
import { ROOT } from '../../tools/program.ts';
import { packagesIn, packagesOfProgram } from './bundle.ts';

/** All of them, sorted: of the program and of the page. */
export async function packagesInside(): Promise<string[]> {
  return [...new Set([...(await packagesOfProgram()), ...(await packagesOfPage())])].sort();
}

/** Those of the page, which Vite bundles: bundled once more, since Vite does not tell. */
async function packagesOfPage(): Promise<string[]> {
  const options = {
    absWorkingDir: ROOT,
    entryPoints: ['src/web/app/main.tsx'],
    bundle: true,
    write: false,
    outdir: 'dist',
    format: 'esm',
    metafile: true,
    logLevel: 'error',
  } satisfies BuildOptions;
  const { metafile } = await build(options);
  return packagesIn(metafile);
}
