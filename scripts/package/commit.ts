/** The commit of a checkout and its time, which every package carries. */
import { execFileSync } from 'node:child_process';

/** Its full name, with `+` where files are changed that git knows. Throws where there is no checkout. */
export function commitOf(root: string): string {
  try {
    return git(root, 'describe', '--always', '--abbrev=40', '--exclude=*', '--dirty=+');
  } catch (error) {
    throw new Error(`packages are made of a commit: there is no git checkout in ${root}`, { cause: error });
  }
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
