/** For decoders that read a file: writes the input there first. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface FileReader {
  readonly path: string;
  /** What `work` makes of the file with this content. */
  read<T>(input: Uint8Array, work: (path: string) => T): T;
}

/** `name`: in the folder, which may have folders inside. */
export function fileReader(folder: string, name: string): FileReader {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return {
    path,
    read(input, work) {
      try {
        writeFileSync(path, input, { mode: 0o600 });
      } catch {
        // A decoder may have put something else in its place.
        rmSync(path, { recursive: true, force: true });
        writeFileSync(path, input, { mode: 0o600 });
      }
      return work(path);
    },
  };
}
