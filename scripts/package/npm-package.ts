/** The package of npm, without a Node of its own: what `npm pack` makes of the build that is there. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { ROOT } from '../../tools/program.ts';

/** Writes kick-VERSION.tgz into `folder`. */
export function writeNpmPackage(folder: string): void {
  const words = ['pack', '--ignore-scripts', '--silent', '--pack-destination', resolve(folder)];
  execFileSync('npm', words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}
