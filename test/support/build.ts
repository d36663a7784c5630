import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The program as it is installed. */
export const PROGRAM = join(ROOT, 'dist', 'bin.js');

/** The program as the tests run it: node and its arguments. */
export const KICK: readonly string[] = [process.execPath, PROGRAM];

/** Before tests that run the program: as it is installed, it starts in half the time. */
export function buildWhereStale(): void {
  const built = existsSync(PROGRAM) ? statSync(PROGRAM).mtimeMs : 0;
  const isStale = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => statSync(join(ROOT, 'src', name)).mtimeMs > built);
  if (isStale) execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
}
