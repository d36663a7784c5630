/** A stored file as a failing disk, a crash or a careless hand leaves it. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { between, oneOf } from './random.ts';

/** Returns false if it is gone. */
export function damageFile(path: string, random: Random): boolean {
  try {
    const bytes = readFileSync(path);
    const at = Math.floor(random() * bytes.length);
    const ways = [
      () => rmSync(path),
      () => truncateSync(path, 0),
      () => truncateSync(path, at),
      () =>
        writeFileSync(
          path,
          bytes.map((byte, index) => (index === at ? byte ^ (1 << between(random, 0, 7)) : byte)),
        ),
      () => writeFileSync(path, Buffer.from(bytes.map(() => between(random, 0, 255)))),
      () => writeFileSync(path, Buffer.concat([bytes, bytes.subarray(at)])),
      () => writeFileSync(path, withoutLine(bytes.toString('latin1'), at), 'latin1'),
    ];
    oneOf(random, ways)();
    return true;
  } catch {
    return false; // it went away, or the disk is full
  }
}

/** The one at an offset. */
function withoutLine(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(0, text.lastIndexOf('\n', at - 1) + 1) + (end < 0 ? '' : text.slice(end + 1));
}
