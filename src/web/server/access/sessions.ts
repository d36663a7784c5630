/** Sessions of people who have signed in. They are kept here, not in the cookie, so that they can be revoked. */

import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf } from '../../../errors.ts';
import { matching, text, time } from '../../../util/bounds.ts';
import type { Clock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { openQuarantine } from '../../../util/quarantine.ts';
import { StoredProblem } from '../../../util/stored-json.ts';
import { LimitsSchema } from '../../api/access.ts';
import { ROLES } from '../../api/route.ts';
import { hashOf, newSecret } from './secrets.ts';
import { openStoredList, type StoredList } from './stored-list.ts';

/** Milliseconds without a request, and in all, after which a session ends. */
const IDLE_MS = 30 * 60_000;
const ABSOLUTE_MS = 12 * 3_600_000;

const MAX_SESSIONS = 10_000;

const FILE = 'sessions.json';
const SET_ASIDE = { entries: 10, bytes: 32 << 20, fileBytes: 8 << 20 };

const SessionSchema = v.object({
  /** The hash of what the cookie holds. */
  hash: matching(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'),
  user: text(64),
  /** Milliseconds since 1970. */
  createdAt: time,
  /** Of somebody who has no account here: what the provider's groups gave when they signed in. */
  grant: v.optional(v.object({ role: v.picklist(ROLES), limits: LimitsSchema })),
});

export type Session = v.InferOutput<typeof SessionSchema>;

export interface Sessions {
  /** Returns what the cookie is to hold. */
  begin(user: string, grant?: Session['grant']): Promise<string>;
  /** The session of a cookie; `isUse`: its idle time begins anew. */
  find(secret: string, isUse: boolean): Promise<Session | undefined>;
  end(hash: string): Promise<void>;
  endAllOf(user: string): Promise<void>;
}

/** People sign in again; what cannot be used is kept for those who want to know why. */
async function readOrNone(
  stored: StoredList<Session>,
  webDir: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<readonly Session[]> {
  try {
    return await stored.read();
  } catch (error) {
    const isDamaged = error instanceof KickError && error.cause instanceof StoredProblem;
    if (!isDamaged) throw error;
    const quarantine = openQuarantine({ root: webDir, limits: SET_ASIDE, clock, log });
    await quarantine.setAside(join(webDir, FILE), messageOf(error));
    return [];
  }
}

export async function openSessions(
  webDir: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Sessions> {
  const stored = openStoredList(join(webDir, FILE), SessionSchema, clock);
  const known = new Map((await readOrNone(stored, webDir, { clock, log })).map((one) => [one.hash, one]));
  /** A restart begins every session's idle time anew. */
  const usedAt = new Map<string, number>();
  const isOver = ({ hash, createdAt }: Session) =>
    clock.now() - createdAt > ABSOLUTE_MS || clock.now() - (usedAt.get(hash) ?? clock.now()) > IDLE_MS;

  async function save(): Promise<void> {
    for (const session of [...known.values()]) if (isOver(session)) known.delete(session.hash);
    for (const hash of usedAt.keys()) if (!known.has(hash)) usedAt.delete(hash);
    try {
      await stored.change(() => [...known.values()].slice(-MAX_SESSIONS));
    } catch (error) {
      // A full disk keeps nobody out: who signs in now signs in again after a restart.
      log.warn({ reason: messageOf(error) }, 'sessions cannot be written');
    }
  }

  return {
    async begin(user, grant) {
      const secret = newSecret();
      const session: Session = {
        ...{ hash: hashOf(secret), user, createdAt: clock.now() },
        ...(grant !== undefined && { grant }),
      };
      known.set(session.hash, session);
      usedAt.set(session.hash, clock.now());
      await save();
      return secret;
    },
    async find(secret, isUse) {
      const session = known.get(hashOf(secret));
      if (session === undefined || isOver(session)) return undefined;
      if (isUse || !usedAt.has(session.hash)) usedAt.set(session.hash, clock.now());
      return session;
    },
    async end(hash) {
      if (known.delete(hash)) await save();
    },
    async endAllOf(user) {
      for (const session of [...known.values()]) if (session.user === user) known.delete(session.hash);
      await save();
    },
  };
}
