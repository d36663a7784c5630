/** Signing in with a local account. Attempts are limited by name and by address. */
import type { Request, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiProblem } from '../../api/problem.ts';
import { ROUTES } from '../../api/routes.ts';
import { COOKIE } from '../access/authenticate.ts';
import type { ServerContext } from '../context.ts';
import { inputOf } from './input.ts';
import type { SpecialWork } from './mount.ts';

/** Failed attempts in fifteen minutes. */
const WINDOW_S = 15 * 60;
const BY_NAME = 10;
const BY_ADDRESS = 50;

export function signInWaysWork({ oidc }: ServerContext): SpecialWork {
  return async (_request, response) => {
    response.json({ password: true, ...(oidc !== undefined && { oidc: '/auth/oidc' }) });
  };
}

export function signInWork({ doors, audit }: ServerContext): SpecialWork {
  const byName = new RateLimiterMemory({ points: BY_NAME, duration: WINDOW_S, keyPrefix: 'name' });
  const byAddress = new RateLimiterMemory({ points: BY_ADDRESS, duration: WINDOW_S, keyPrefix: 'address' });
  return async (request: Request, response: Response) => {
    const { body } = await inputOf(ROUTES.signIn, request);
    const address = request.socket.remoteAddress ?? '';
    const line = { who: body.name, via: 'password', address, what: `POST ${request.path}` };
    // Counted before it is checked: many at once are many attempts.
    await consume(byAddress, address);
    await consume(byName, body.name);
    const account = await doors.accounts.check(body.name, body.password);
    if (account === undefined) {
      await audit.add({ ...line, status: 401, detail: 'wrong name or password' });
      throw new ApiProblem('not-signed-in', 'the name or the password is wrong');
    }
    await byName.delete(body.name);
    await byAddress.reward(address, 1);
    const secret = await doors.sessions.begin(account.name);
    response.setHeader('Set-Cookie', `${COOKIE}=${secret}; Path=/; Secure; HttpOnly; SameSite=Lax`);
    const { name, role, limits } = account;
    response.json({ name, role, limits: [limits], via: 'session' });
    await audit.add({ ...line, status: 200 });
  };
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw new ApiProblem('too-many-requests', 'too many failed attempts to sign in', {
      retryAfter: Math.ceil(refused.msBeforeNext / 1000),
    });
  }
}
