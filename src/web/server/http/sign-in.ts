/** Signing in with a local account. */
import type { Request, Response } from 'express';
import { ApiProblem } from '../../api/problem.ts';
import { ROUTES } from '../../api/routes.ts';
import { COOKIE } from '../access/authenticate.ts';
import type { ServerContext } from '../context.ts';
import { inputOf } from './input.ts';
import type { SpecialWork } from './mount.ts';
import { createSignInLimits } from './sign-in-limits.ts';
import { createSignInTurns } from './sign-in-turns.ts';

export function signInWaysWork({ oidc }: ServerContext): SpecialWork {
  return async (_request, response) => {
    response.json({ password: true, ...(oidc !== undefined && { oidc: '/auth/oidc' }) });
  };
}

export function signInWork({ doors, audit, clock }: ServerContext): SpecialWork {
  const limits = createSignInLimits(doors.places, clock);
  const turns = createSignInTurns(clock);
  return async (request: Request, response: Response) => {
    const { body } = await inputOf(ROUTES.signIn, request);
    const address = request.socket.remoteAddress ?? '';
    const line = { who: body.name, via: 'password', address, what: `POST ${request.path}` };
    const attempt = { name: body.name, address };
    const takeBack = await limits.count(attempt);
    const isKnown = await doors.places.isKnown(body.name, address);
    const checked = turns.take({ ...attempt, isKnown }, async () => {
      if (request.socket.destroyed) throw new ApiProblem('bad-request', 'the connection has ended');
      return doors.accounts.check(body.name, body.password);
    });
    const account = await checked.catch((error: unknown) => {
      takeBack();
      throw error;
    });
    if (account === undefined) {
      await audit.add({ ...line, status: 401, detail: 'wrong name or password' });
      throw new ApiProblem('not-signed-in', 'the name or the password is wrong');
    }
    await limits.forget(attempt);
    const secret = await doors.sessions.begin(account.name);
    response.setHeader('Set-Cookie', `${COOKIE}=${secret}; Path=/; Secure; HttpOnly; SameSite=Lax`);
    const { name, role, limits: own } = account;
    response.json({ name, role, limits: [own], via: 'session' });
    await audit.add({ ...line, status: 200 });
  };
}
