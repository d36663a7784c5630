/** GET /auth/oidc and what the provider sends the browser back to. The only redirects: to the provider, and to `/`. */
import type { Express, Request, Response } from 'express';
import { addressGroup } from '../../../util/address-group.ts';
import { ApiProblem } from '../../api/problem.ts';
import { COOKIE } from '../access/authenticate.ts';
import { CALLBACK, type Oidc } from '../access/oidc.ts';
import type { ServerContext } from '../context.ts';
import { problemOf, sendProblem } from './problems.ts';
import { createTries } from './tries.ts';

const STATE_COOKIE = '__Host-kick-oidc';

/** How many one host may begin in ten minutes. */
const MAX_BEGUN = 100;
const WITHIN_MS = 600_000;

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export function mountOidc(app: Express, context: ServerContext, oidc: Oidc): void {
  const { doors, audit, log, clock } = context;
  const begun = createTries({ most: MAX_BEGUN, withinMs: WITHIN_MS, clock });
  const answer =
    (work: (request: Request, response: Response) => Promise<void>) =>
    async (request: Request, response: Response) => {
      response.setHeader('Cache-Control', 'no-store');
      try {
        await work(request, response);
      } catch (error) {
        sendProblem(response, problemOf(error, log));
      }
    };
  app.get(
    '/auth/oidc',
    answer(async (request, response) => {
      // Only so many can be under way, and one host must not have all of them.
      begun.count(addressGroup(request.socket.remoteAddress ?? ''));
      const { location, state } = await oidc.begin();
      response.setHeader('Set-Cookie', `${STATE_COOKIE}=${state}; ${ATTRIBUTES}; Max-Age=600`);
      response.redirect(302, location);
    }),
  );
  app.get(
    CALLBACK,
    answer(async (request, response) => {
      const mark = request.originalUrl.indexOf('?');
      const state = /(?:^|; )__Host-kick-oidc=([\w-]{1,200})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
      const { name, grant } = await oidc.finish(mark < 0 ? '' : request.originalUrl.slice(mark), state);
      if ((await doors.accounts.find(name)) !== undefined) {
        throw new ApiProblem('not-allowed', `names: there is a local account "${name}"`);
      }
      const secret = await doors.sessions.begin(name, grant);
      response.setHeader('Set-Cookie', [
        `${COOKIE}=${secret}; ${ATTRIBUTES}`,
        `${STATE_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`,
      ]);
      response.redirect(303, '/');
      const address = request.socket.remoteAddress ?? '';
      await audit.add({ who: name, via: 'oidc', address, what: `GET ${CALLBACK}`, status: 303 });
    }),
  );
}
