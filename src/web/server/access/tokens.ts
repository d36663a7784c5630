/** Tokens of scripts: made by somebody who has signed in, shown once, with a scope and an end. */

import { join } from 'node:path';
import * as v from 'valibot';
import { KickError } from '../../../errors.ts';
import { longText, matching, text, time } from '../../../util/bounds.ts';
import type { Clock } from '../../../util/clock.ts';
import { uuidv7 } from '../../../util/uuid.ts';
import { LimitsSchema } from '../../api/access.ts';
import { ROLES } from '../../api/route.ts';
import { hashOf, newSecret } from './secrets.ts';
import { openStoredList } from './stored-list.ts';

const PREFIX = 'kick_';

/** Milliseconds between two notes of when a token was last used. */
const NOTE_EVERY_MS = 60_000;

/** Of one person, and of all. */
const MAX_EACH = 50;
const MAX_TOKENS = 5000;

const StoredTokenSchema = v.object({
  id: longText,
  hash: matching(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'),
  name: text(64),
  user: text(64),
  role: v.picklist(ROLES),
  limits: LimitsSchema,
  /** Milliseconds since 1970. */
  createdAt: time,
  endsAt: time,
  lastUsedAt: v.optional(time),
});

export type StoredToken = v.InferOutput<typeof StoredTokenSchema>;

export interface Tokens {
  list(): Promise<readonly StoredToken[]>;
  /** Returns the token itself as well, which is not kept. Throws `KickError` `state` if there are too many. */
  create(
    wish: Pick<StoredToken, 'name' | 'user' | 'role' | 'limits' | 'endsAt'>,
  ): Promise<[StoredToken, string]>;
  find(secret: string): Promise<StoredToken | undefined>;
  /** Returns false if there is none. */
  revoke(id: string): Promise<boolean>;
}

function checkCount(tokens: readonly StoredToken[], user: string): void {
  const own = tokens.filter((one) => one.user === user).length;
  const most = own >= MAX_EACH ? `${user} has ${MAX_EACH}` : `there are ${MAX_TOKENS}`;
  if (own < MAX_EACH && tokens.length < MAX_TOKENS) return;
  throw new KickError('state', `make a token: ${most} already`, { hint: 'revoke some' });
}

export function openTokens(webDir: string, clock: Clock): Tokens {
  const stored = openStoredList(join(webDir, 'tokens.json'), StoredTokenSchema, clock);
  const notedAt = new Map<string, number>();

  async function noteUse(id: string): Promise<void> {
    const now = clock.now();
    if (now - (notedAt.get(id) ?? 0) < NOTE_EVERY_MS) return;
    notedAt.set(id, now);
    await stored.change((items) => items.map((one) => (one.id === id ? { ...one, lastUsedAt: now } : one)));
  }

  return {
    list: stored.read,
    async create(wish) {
      const secret = `${PREFIX}${newSecret()}`;
      const token = { ...wish, id: uuidv7(clock.now()), hash: hashOf(secret), createdAt: clock.now() };
      await stored.change((items) => {
        const left = items.filter(({ endsAt }) => endsAt > clock.now());
        checkCount(left, wish.user);
        return [...left, token];
      });
      return [token, secret];
    },
    async find(secret) {
      if (!secret.startsWith(PREFIX)) return undefined;
      const hash = hashOf(secret);
      const token = (await stored.read()).find((one) => one.hash === hash);
      if (token === undefined || token.endsAt <= clock.now()) return undefined;
      await noteUse(token.id).catch(() => undefined); // a full disk locks nobody out
      return token;
    },
    async revoke(id) {
      let isGone = false;
      await stored.change((items) => {
        const left = items.filter((one) => one.id !== id);
        isGone = left.length < items.length;
        return left;
      });
      return isGone;
    },
  };
}
