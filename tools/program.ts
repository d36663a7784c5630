/** The program as everything here runs it, and where it lies. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** The program as it is installed. */
export const PROGRAM = join(ROOT, 'dist', 'bin.js');

const other = process.env['KICK_TEST_PROGRAM'];

/** The command that is `kick`: Node and its arguments; or the program in its place, such as that of a package. */
export const KICK: readonly string[] = other === undefined ? [process.execPath, PROGRAM] : [other];

/** Builds it where src/ is newer: as it is installed, it starts in half the time. */
export function buildWhereStale(): void {
  const built = existsSync(PROGRAM) ? statSync(PROGRAM).mtimeMs : 0;
  const isStale = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(tsx?|css|html)$/.test(name))
    .some((name) => statSync(join(ROOT, 'src', name)).mtimeMs > built);
  if (!isStale) return;
  // Vitest's own says "test", with which the page would be built for its developers: half as large again.
  const { NODE_ENV: _own, ...env } = process.env;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, env, stdio: 'inherit' });
}
