/** The requester: the login name behind sudo, for people and audit logs (DESIGN 5). */
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { By } from '../protocol/request.ts';
import { userName } from '../util/accounts.ts';
import { clip } from '../util/text.ts';
import type { Environment } from './context.ts';

/** The kernel's loginuid if nobody has logged in (cron, a service). */
const NOBODY = 4_294_967_295;

export function whoAsks(env: Environment, reason: string | undefined): By {
  return {
    user: clip(loginName(env), 64),
    uid: (self ?? ownSelf()).uid,
    host: clip(hostname(), 253),
    ...(reason !== undefined && { reason }),
  };
}

function loginName(env: Environment): string {
  try {
    const uid = Number(readFileSync('/proc/self/loginuid', 'utf8'));
    const name = Number.isInteger(uid) && uid !== NOBODY ? userName(uid) : undefined;
    if (name !== undefined) return name;
  } catch {
    // no audit support in this kernel
  }
  const sudoer = env['SUDO_USER'];
  if (sudoer !== undefined && sudoer !== '') return sudoer;
  return (self ?? ownSelf()).name;
}

interface Self {
  uid: number;
  name: string;
}

/** Who this process was before it became somebody else. */
let self: Self | undefined;

/** What is said of the requester from now on is what is true now. */
export function noteSelf(): void {
  self ??= ownSelf();
}

function ownSelf(): Self {
  const uid = process.getuid?.() ?? 0;
  try {
    return { uid, name: userInfo().username };
  } catch {
    return { uid, name: String(uid) };
  }
}
