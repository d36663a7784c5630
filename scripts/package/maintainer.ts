/** Who maintains the packages, as in `Name <address>`: `author` in package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/program.ts';

/** Throws unless it is a name and an address, which Debian asks for. */
export function maintainer(): string {
  const { author = '' } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { author?: string };
  if (!/^[^<>\n]+ <[^<>@\s]+@[^<>@\s]+>$/.test(author))
    throw new Error(`package.json: "author" names the maintainer as "Name <address>", not "${author}"`);
  return author;
}
