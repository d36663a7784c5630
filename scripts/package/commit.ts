/** The commit of a checkout and its time, which every package carries. */
import { execFileSync } from 'node:child_process';

/** Its full name; `+` after it: with changes that are not committed. Undefined where there is no git or no checkout. */
export function findCommit(root: string): string | undefined {
  try {
    const name = git(root, 'rev-parse', 'HEAD');
    return git(root, 'status', '--porcelain') === '' ? name : `${name}+`;
  } catch {
    return undefined;
  }
}

/** Throws where there is none. */
export function commitOf(root: string): string {
  const found = findCommit(root);
  if (found === undefined)
    throw new Error(`packages are made of a commit: there is no git checkout in ${root}`);
  return found;
}

/** Seconds since 1970: $SOURCE_DATE_EPOCH (https://reproducible-builds.org), else when the commit was made. */
export function sourceDate(root: string): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  return Number(given ?? git(root, 'log', '-1', '--format=%ct'));
}

function git(root: string, ...words: string[]): string {
  return execFileSync('git', ['-C', root, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
