/** Signing in and out, tokens, accounts, the audit. */
import { isoTime } from '../../../util/times.ts';
import { ApiProblem } from '../../api/problem.ts';
import { COOKIE } from '../access/authenticate.ts';
import { type Caller, isAtLeast } from '../access/caller.ts';
import type { StoredToken } from '../access/tokens.ts';
import type { Handlers, ServerContext } from '../context.ts';

const DAY_MS = 86_400_000;
const AUDIT_PAGE = 100;

type Names = 'whoAmI' | 'signOut' | 'listTokens' | 'createToken' | 'revokeToken' | 'listUsers' | 'listAudit';

export const NO_COOKIE = `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;

export function accessHandlers({ doors, audit, clock }: ServerContext): Handlers<Names> {
  const { accounts, sessions, tokens } = doors;
  return {
    whoAmI: async (_asked, { name, role, limits, via }) => ({ name, role, limits: [...limits], via }),
    async signOut(_asked, { via, id }, note) {
      if (via === 'session') await sessions.end(id);
      note.headers = { 'Set-Cookie': NO_COOKIE };
      return undefined;
    },
    async listTokens(_asked, { name, role }) {
      const all = await tokens.list();
      return { tokens: all.filter(({ user }) => role === 'admin' || user === name).map(tokenOf) };
    },
    async createToken({ body: { name, role, limits = {}, days } }, caller, note) {
      await checkMaker(caller, doors);
      const least = role ?? caller.role;
      if (!isAtLeast(caller.role, least))
        throw new ApiProblem('not-allowed', `role: ${caller.name} is ${caller.role}`);
      const wish = { name, user: caller.name, role: least, limits, endsAt: clock.now() + days * DAY_MS };
      const [token, secret] = await tokens.create(wish);
      note.detail = `token ${token.id} (${name})`;
      return { ...tokenOf(token), token: secret };
    },
    async revokeToken({ params: { id } }, { name, role }, note) {
      const token = (await tokens.list()).find((one) => one.id === id);
      if (token === undefined || (role !== 'admin' && token.user !== name)) {
        throw new ApiProblem('not-found', 'there is no such token of yours');
      }
      note.detail = `token ${id} (${token.name})`;
      await tokens.revoke(id);
      return undefined;
    },
    async listUsers() {
      const all = await accounts.list();
      return {
        users: all.map(({ name, role, limits, createdAt }) => ({
          name,
          role,
          limits,
          createdAt: isoTime(createdAt),
        })),
      };
    },
    async listAudit({ query: { cursor, limit } }) {
      if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
        throw new ApiProblem('bad-request', 'the cursor is not one of ours');
      }
      const before = cursor === undefined ? undefined : Number(cursor);
      const { lines, next } = await audit.page({ limit: Number(limit ?? AUDIT_PAGE), before });
      return { lines, ...(next !== undefined && { next: String(next) }) };
    },
  };
}

/** Throws `ApiProblem`. */
async function checkMaker({ name, via }: Caller, { accounts }: ServerContext['doors']): Promise<void> {
  if (via === 'token') throw new ApiProblem('not-allowed', 'tokens: a token makes no tokens');
  if ((await accounts.find(name)) === undefined) {
    throw new ApiProblem('not-allowed', `tokens: ${name} has no account here`, {
      hint: 'kick user add makes one for a script',
    });
  }
}

function tokenOf({ id, name, user, role, limits, createdAt, endsAt, lastUsedAt }: StoredToken) {
  return {
    ...{ id, name, user, role, limits },
    createdAt: isoTime(createdAt),
    endsAt: isoTime(endsAt),
    ...(lastUsedAt !== undefined && { lastUsedAt: isoTime(lastUsedAt) }),
  };
}
