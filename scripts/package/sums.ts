/** SHA256SUMS of a folder, as sha256sum(1) writes and checks them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'SHA256SUMS';

export function writeSums(folder: string): void {
  const names = readdirSync(folder).filter((name) => !name.startsWith(NAME));
  const lines = names.sort().map((name) => {
    const sum = createHash('sha256').update(readFileSync(join(folder, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(folder, NAME), lines.join(''));
}
