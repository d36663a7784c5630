/** GET /auth/oidc and what the provider sends the browser back to. The only redirects: to the provider, and to `/`. */
import type { Express, Request, Response } from 'express';
import { ApiProblem } from '../../api/problem.ts';
import { COOKIE } from '../access/authenticate.ts';
import { CALLBACK, type Oidc } from '../access/oidc.ts';
import type { ServerContext } from '../context.ts';
import { problemOf, sendProblem } from './problems.ts';

const STATE_COOKIE = '__Host-kick-oidc';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export function mountOidc(app: Express, context: ServerContext, oidc: Oidc): void {
  const { doors, audit, log } = context;
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
    answer(async (_request, response) => {
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
