/** Who sends a request: a session's cookie, a token, or a client certificate. */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Role } from '../../api/route.ts';
import type { Account, Accounts } from './accounts.ts';
import { type Caller, isAtLeast } from './caller.ts';
import type { Certificates } from './certificates.ts';
import type { Grant } from './grants.ts';
import type { KnownPlaces } from './known-places.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export const COOKIE = '__Host-kick';

const MAX_COOKIE = 4096;

export interface Doors {
  accounts: Accounts;
  sessions: Sessions;
  places: KnownPlaces;
  tokens: Tokens;
  certificates: Certificates;
  /** What groups of the provider are given now. */
  groups: readonly Grant[];
}

/**
 * What the page sends with requests that it makes by itself while nobody touches it: they do not prolong a session. Whoever
 * leaves it away only prolongs what they have.
 */
const BACKGROUND = 'x-kick-background';

/** Undefined: nobody whom we know. `isUse`: whether it counts as a use of the session; defaults to what the page says. */
export async function authenticate(
  request: IncomingMessage,
  { accounts, sessions, tokens, certificates, groups }: Omit<Doors, 'places'>,
  { isUse = request.headers[BACKGROUND] === undefined } = {},
): Promise<Caller | undefined> {
  const address = request.socket.remoteAddress ?? '';
  const bearer = /^Bearer ([A-Za-z0-9_]{1,200})$/.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) {
    const token = await tokens.find(bearer);
    const account = token && (await accounts.find(token.user));
    // A token is never worth more than its user is now.
    if (token === undefined || account === undefined || token.createdAt < account.createdAt) return undefined;
    const role: Role = isAtLeast(account.role, token.role) ? token.role : account.role;
    const limits = [account.limits, token.limits];
    return { name: account.name, role, limits, via: 'token', id: token.id, address };
  }
  const secret = cookieOf(request.headers.cookie);
  const session = secret === undefined ? undefined : await sessions.find(secret, isUse);
  if (session !== undefined)
    return callerOf(session, { account: await accounts.find(session.user), groups, address });
  const certificate = certificates.find(request.socket as TLSSocket);
  if (certificate === undefined) return undefined;
  const { name, role, limits, fingerprint } = certificate;
  // As with people of the provider: what the account of this name made is not the certificate's.
  if ((await accounts.find(name)) !== undefined) return undefined;
  return { name, role, limits: [limits], via: 'certificate', id: fingerprint, address };
}

function callerOf(
  { user, hash, createdAt, grant }: Session,
  { account, groups, address }: { account: Account | undefined; groups: readonly Grant[]; address: string },
): Caller | undefined {
  const rest = { via: 'session', id: hash, address } as const;
  if (grant !== undefined) {
    // Somebody of the provider is not the local account of the same name.
    if (account !== undefined) return undefined;
    // controller.yaml may give their group something else since.
    if (!groups.some((one) => isDeepStrictEqual(one, grant))) return undefined;
    return { name: user, role: grant.role, limits: [grant.limits], ...rest };
  }
  if (account === undefined || createdAt < account.passwordAt) return undefined;
  return { name: user, role: account.role, limits: [account.limits], ...rest };
}

function cookieOf(header = ''): string | undefined {
  if (header.length > MAX_COOKIE) return undefined;
  const found = header
    .split(';')
    .map((one) => one.trim())
    .find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1);
}
