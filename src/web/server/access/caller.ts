/** Who sends a request, and what narrows the role. */
import { hostname } from 'node:os';
import type { By } from '../../../protocol/request.ts';
import { clip } from '../../../util/text.ts';
import type { Limits } from '../../api/access.ts';
import { ROLES, type Role } from '../../api/route.ts';

export interface Caller {
  name: string;
  role: Role;
  /** Each of them holds: the account's, and the token's. */
  limits: readonly Limits[];
  via: 'session' | 'token' | 'certificate' | 'schedule' | 'hook';
  /** The id of the session or the token. */
  id: string;
  /** The IP address of the connection. */
  address: string;
}

export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whose a job is that they start: a webhook's is nobody's. */
export function accountOf({ name, via }: Caller): { account?: string } {
  return via === 'hook' ? {} : { account: name };
}

/** The requester, as the agents see and log it: the person, not the server. */
export function byOf({ name }: Caller, reason: string | undefined): By {
  return {
    user: clip(name, 64),
    uid: process.getuid?.() ?? 0,
    host: clip(hostname(), 253),
    ...(reason !== undefined && { reason }),
  };
}
