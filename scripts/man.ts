/** Writes the man pages to dist/man, at the end of `npm run build`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manPages } from './man/pages.ts';

// https://reproducible-builds.org/specs/source-date-epoch/
const epoch = process.env['SOURCE_DATE_EPOCH'];
const date = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000).toISOString().slice(0, 10);

const folder = join(import.meta.dirname, '..', 'dist', 'man');
mkdirSync(folder, { recursive: true });
for (const { file, text } of await manPages(date)) writeFileSync(join(folder, file), text);
