/** Whether root may believe a file: nobody but root and ourselves can have put it there. */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * The first thing on the way to `path` (the file itself, its folders, and those of where symbolic
 * links lead) that another user could change, as a sentence; undefined when there is none. A folder
 * with the sticky bit (/tmp) counts as safe: others cannot replace what is ours in it.
 */
export function whoElseCanWrite(path: string): string | undefined {
  const real = realpathSync(path);
  for (const end of new Set([resolve(path), real])) {
    for (let at = end; ; at = dirname(at)) {
      const complaint = complaintAbout(at);
      if (complaint !== undefined) return complaint;
      if (at === dirname(at)) break;
    }
  }
  return undefined;
}

function complaintAbout(path: string): string | undefined {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return undefined; // its folder and its target are what counts
  if (stat.uid !== 0 && stat.uid !== process.getuid?.()) return `"${path}" belongs to uid ${stat.uid}`;
  const sticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
  return isWritableByOthers(stat) && !sticky
    ? `"${path}" can be written by others (mode ${(stat.mode & 0o7777).toString(8)})`
    : undefined;
}

/** Group root is root; any other group is others. */
function isWritableByOthers({ mode, gid }: Stats): boolean {
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
}
