/** The files of our own CA, and its index: which certificates there are, and which were revoked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';

export type Role = 'agent' | 'controller';

const EntrySchema = v.object({
  name: v.string(),
  role: v.picklist(['agent', 'controller']),
  /** Upper case hex. */
  serial: v.string(),
  /** Milliseconds since 1970. */
  notAfter: v.number(),
  revokedAt: v.optional(v.number()),
});
const IndexSchema = v.object({
  subject: v.array(v.string()),
  crlNumber: v.number(),
  certificates: v.array(EntrySchema),
});

export type Entry = v.InferOutput<typeof EntrySchema>;
export type Index = v.InferOutput<typeof IndexSchema>;

export type AuthorityPaths = ReturnType<typeof authorityPaths>;

export function authorityPaths(dir: string) {
  return {
    caKey: join(dir, 'ca', 'ca_key.pem'),
    index: join(dir, 'ca', 'index.json'),
    ca: join(dir, 'certs', 'ca.pem'),
    crl: join(dir, 'crl.pem'),
    keyOf: (name: string) => join(dir, 'private_keys', `${name}.pem`),
    certificateOf: (name: string) => join(dir, 'certs', `${name}.pem`),
  };
}

/** Throws `KickError` `pki`. */
export async function readIndex(dir: string): Promise<Index> {
  const paths = authorityPaths(dir);
  try {
    return v.parse(IndexSchema, JSON.parse(await readFile(paths.index, 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new KickError('pki', `open the CA: there is none in "${dir}"`, {
        hint: `make one: kick pki init --pki-dir ${dir}`,
      });
    }
    throw new KickError('pki', `read "${paths.index}": it is not an index of ours`, { cause: error });
  }
}

export function writeIndex(dir: string, index: Index): Promise<void> {
  return writeFileAtomic(authorityPaths(dir).index, `${JSON.stringify(index, null, 2)}\n`);
}
