/** Each byte of files that are read anew whenever somebody asks: what reads them must tell what is true, or that it cannot. */
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { randomFrom } from '../../../src/cli/demo/run-shape.ts';
import { BrokenPromise } from '../check.ts';
import { filesBelow } from '../host.ts';
import type { BytesOptions } from './agent-bytes.ts';
import type { Kept } from './kept.ts';
import { KEPT_ENROLMENT } from './kept-enrolment.ts';
import { KEPT_FILES } from './kept-files.ts';
import { KEPT_PKI } from './kept-pki.ts';
import { damage, spots } from './ways.ts';

const ALL: Readonly<Record<string, Kept>> = { ...KEPT_FILES, ...KEPT_PKI, ...KEPT_ENROLMENT };

/** So many bytes, as many of each kind. Throws `BrokenPromise`. */
export async function tortureKeptBytes(
  base: string,
  { seed, bytes, only, survived }: BytesOptions,
): Promise<void> {
  const random = randomFrom(seed);
  const kinds = [];
  for (const [kind, { make, isMark = false }] of Object.entries(ALL)) {
    if (only?.includes(kind) === false) continue;
    const [whole, copy] = [join(base, kind, 'whole'), join(base, kind, 'copy')];
    mkdirSync(whole, { recursive: true, mode: 0o700 });
    const ask = await make(whole);
    const copyWhole = () => {
      rmSync(copy, { recursive: true, force: true });
      cpSync(whole, copy, { recursive: true, preserveTimestamps: true });
    };
    copyWhole();
    const wrong = await ask(copy);
    if (wrong !== undefined) throw new BrokenPromise(`${kind}, whole: ${wrong}`);
    const files = filesBelow(whole).map((path) => relative(whole, path));
    const lengths = Object.fromEntries(files.map((file) => [file, statSync(join(whole, file)).size]));
    const nameOf = (file: string) => (files.length === 1 ? kind : `${kind}: ${file}`);
    kinds.push({ kind, isMark, copy, copyWhole, ask, nameOf, order: spots(lengths, random) });
  }
  for (let done = 0; done < bytes && kinds.length > 0; ) {
    for (const { kind, isMark, copy, copyWhole, ask, nameOf, order } of kinds) {
      const { file, ...spot } = order.next().value;
      if (isMark && spot.way === 'vanished') continue;
      copyWhole();
      if (!damage(join(copy, file), spot, random)) continue;
      const wrong = await ask(copy);
      if (wrong !== undefined)
        throw new BrokenPromise(`${kind}: ${file}, byte ${spot.at}: ${spot.way}: ${wrong}`);
      const name = nameOf(file);
      survived.bytes[name] = (survived.bytes[name] ?? 0) + 1;
      survived.starts += 1;
      done += 1;
    }
  }
}
