/** The files of our own CA, and its index: issued and revoked certificates. */
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { count, text, time } from '../util/bounds.ts';
import { NEWER_HINT, parseStored, StoredProblem, storedText } from '../util/stored-json.ts';
import { readTrusted } from '../util/trusted-file.ts';

export type Role = 'agent' | 'controller';

const EntrySchema = v.object({
  name: text(253),
  role: v.picklist(['agent', 'controller']),
  /** Upper case hex. */
  serial: text(64),
  /** Milliseconds since 1970. */
  notAfter: time,
  revokedAt: v.optional(time),
  /** SHA-256 of the public key (SPKI), hex, if the key was made elsewhere. */
  key: v.optional(text(64)),
  /** Of the CA that signed it; absent: 1. */
  generation: v.optional(count),
  /** Id of the token by which the certificate was asked for: an entry that names it is what uses a token up. */
  token: v.optional(text(64)),
});
const SubjectSchema = v.array(text(1024));
const IndexSchema = v.object({
  /** Of the CA that signs. */
  subject: SubjectSchema,
  /** Counts the CAs that this one has been; absent: 1. */
  generation: v.optional(count),
  /** Trusted as well while the CA is rotated: the next one, which does not sign yet, or the one before. */
  beside: v.optional(v.object({ subject: SubjectSchema, generation: count, since: time })),
  crlNumber: count,
  certificates: v.array(EntrySchema),
});

export type Entry = v.InferOutput<typeof EntrySchema>;
export type Index = v.InferOutput<typeof IndexSchema>;

export type AuthorityPaths = ReturnType<typeof authorityPaths>;

export function authorityPaths(dir: string) {
  return {
    caKey: (generation: number) =>
      join(dir, 'ca', generation === 1 ? 'ca_key.pem' : `ca_key_${generation}.pem`),
    /** The certificate of one CA; there is none where no CA was ever rotated. */
    caCertificate: (generation: number) => join(dir, 'ca', `ca_${generation}.pem`),
    index: join(dir, 'ca', 'index.json'),
    tokens: join(dir, 'ca', 'tokens.json'),
    /** The latest certificate of a node that made its key itself: whoever lost the answer asks again. */
    issuedTo: (name: string) => join(dir, 'ca', 'issued', `${name}.pem`),
    /** Of all CAs that are trusted; the first is the one that signs. */
    ca: join(dir, 'certs', 'ca.pem'),
    crl: join(dir, 'crl.pem'),
    keyOf: (name: string) => join(dir, 'private_keys', `${name}.pem`),
    certificateOf: (name: string) => join(dir, 'certs', `${name}.pem`),
  };
}

/** A hundred thousand certificates and more. One that is written again without what is damaged would revoke the less. */
const FORMAT = { schema: IndexSchema, version: 1, maxBytes: 64 << 20 };

/** Throws `KickError` `pki`, and `untrusted` if others can change it. */
export function readIndex(dir: string): Index {
  const { index: path } = authorityPaths(dir);
  try {
    const bytes = readTrusted(path, { doing: `read the index "${path}"`, maxBytes: FORMAT.maxBytes });
    return parseStored(path, bytes, FORMAT);
  } catch (error) {
    if (error instanceof KickError) throw error;
    if (systemCode(error) === 'ENOENT') {
      throw new KickError('pki', `open the CA: there is none in "${dir}"`, {
        hint: `make one: kick pki init --pki-dir ${dir}; then a certificate for this host: kick pki issue NAME --role controller`,
      });
    }
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): KickError {
  const why = error instanceof StoredProblem ? error.why : messageOf(error);
  const isNewer = error instanceof StoredProblem && error.isNewer;
  const hint = isNewer ? NEWER_HINT : 'put it back from a backup: it says who was revoked';
  return new KickError('pki', `read the index "${path}": ${why}`, {
    ...(systemCode(error) !== 'EACCES' && { hint }),
    cause: error,
  });
}

export function writeIndex(dir: string, index: Index): Promise<void> {
  return writeFileAtomic(authorityPaths(dir).index, storedText(index, FORMAT));
}

export const generationOf = ({ generation = 1 }: Pick<Entry | Index, 'generation'>) => generation;

/** Whether a name has a valid certificate of the CA that signs. */
export function hasCurrent(index: Index, wanted: string, now: number): boolean {
  return index.certificates.some(
    (entry) => generationOf(entry) === generationOf(index) && isValid(entry, wanted, now),
  );
}

/** Certificates of the CA before the one that signs whose name has no newer one: with that CA it would have none. */
export function hangingOnPrevious({ certificates, beside, ...index }: Index, now: number): Entry[] {
  const signing = generationOf(index);
  if (beside === undefined || beside.generation > signing) return [];
  const valid = certificates.filter((entry) => isValid(entry, entry.name, now));
  const renewed = new Set(valid.flatMap((entry) => (generationOf(entry) === signing ? entry.name : [])));
  return valid.filter(({ name }) => !renewed.has(name));
}

/** Valid certificates of which the same name has a newer valid one. */
export function supersededIn({ certificates }: Pick<Index, 'certificates'>, now: number): Entry[] {
  const valid = certificates.filter((entry) => isValid(entry, entry.name, now));
  const newest = new Map(valid.map((entry) => [entry.name, entry]));
  return valid.filter((entry) => newest.get(entry.name) !== entry);
}

/** Whether an entry is a valid certificate of that name; `now` is milliseconds since 1970. */
export function isValid({ name, revokedAt, notAfter }: Entry, wanted: string, now: number): boolean {
  return name === wanted && revokedAt === undefined && notAfter > now;
}
