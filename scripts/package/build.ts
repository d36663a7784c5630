/** `npm run build` as packages need it: dated by the commit. */
import { execFileSync } from 'node:child_process';
import { sourceDate } from './commit.ts';

export function build(root: string): void {
  // Vitest's own says "test", with which the page would be built for its developers.
  const { NODE_ENV: _own, ...env } = process.env;
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    env: { ...env, SOURCE_DATE_EPOCH: String(sourceDate(root)) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
