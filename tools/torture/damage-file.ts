/** One of the files that an agent has stored, as a failing disk, a crash or a careless hand leaves it. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { filesBelow, type Host } from './host.ts';
import { between, oneOf } from './random.ts';

/** Returns false if there was nothing to damage. */
export function damageOne({ stateDir }: Host, random: Random): boolean {
  const files = filesBelow(stateDir);
  if (files.length === 0) return false;
  const path = oneOf(random, files);
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
    ];
    oneOf(random, ways)();
    return true;
  } catch {
    return false; // it went away, or the disk is full
  }
}
