/** Tokens for a first certificate, in the CA's folder: of each only a hash is kept. */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { KickError } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { matching, text, time, whole } from '../util/bounds.ts';
import { boundedArray } from '../util/schema.ts';
import { NEWER_HINT, readStored, StoredProblem, storedText } from '../util/stored-json.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import type { Place } from './authority-place.ts';

const MAX_TOKENS = 10_000;

const TokenSchema = v.object({
  id: text(64),
  /** SHA-256 of the secret. */
  hash: matching(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'),
  name: text(253),
  role: v.picklist(['agent', 'controller']),
  /** Of the certificate. */
  days: whole(1, 99_999),
  replace: v.boolean(),
  /** Milliseconds since 1970. */
  endsAt: time,
});

export type StoredToken = v.InferOutput<typeof TokenSchema>;

const FORMAT = {
  schema: v.object({ tokens: boundedArray(TokenSchema, MAX_TOKENS) }),
  version: 1,
  maxBytes: 8 << 20,
};

export const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/** Those that are not over. Throws `KickError` `pki`. */
export async function readOpenTokens({ paths, clock }: Place): Promise<StoredToken[]> {
  return (await readTokens(paths.tokens)).filter(({ endsAt }) => endsAt > clock.now());
}

/** Replaces them, which needs the CA's lock. Throws `KickError` `pki`. */
export async function changeTokens(
  place: Place,
  change: (tokens: StoredToken[]) => StoredToken[],
): Promise<void> {
  const tokens = change(await readOpenTokens(place));
  if (tokens.length > MAX_TOKENS) {
    throw new KickError('pki', `make a token: there are ${MAX_TOKENS} already`, {
      hint: 'take some back: kick pki tokens, kick pki token NAME --cancel',
    });
  }
  await writeFileAtomic(place.paths.tokens, storedText({ tokens }, FORMAT));
}

async function readTokens(path: string): Promise<StoredToken[]> {
  refuseUntrusted(path, { doing: `believe the tokens in "${path}"` });
  try {
    return (await readStored(path, FORMAT))?.tokens ?? [];
  } catch (error) {
    if (!(error instanceof StoredProblem)) throw error;
    throw new KickError('pki', error.message, {
      hint: error.isNewer ? NEWER_HINT : 'move the file away, and make new tokens',
      cause: error,
    });
  }
}

const NONE = Buffer.alloc(32);

/** The token of that id, if the secret is its own and it is not over; how long it takes does not tell which of these fails. */
export async function tokenFor(
  place: Place,
  { id, secret }: { id: string; secret: string },
): Promise<StoredToken | undefined> {
  const found = (await readOpenTokens(place)).find((one) => one.id === id);
  const wanted = found === undefined ? NONE : Buffer.from(found.hash, 'hex');
  return timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), wanted) ? found : undefined;
}
