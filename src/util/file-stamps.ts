/** Whether files have been replaced or written since they were last looked at. */
import { stat } from 'node:fs/promises';

/** What changes when any of the files does, or when one appears or is gone. */
export async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map(async (path) => {
    try {
      const { ino, size, mtimeNs } = await stat(path, { bigint: true });
      return `${ino}.${size}.${mtimeNs}`;
    } catch {
      return 'absent';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}
