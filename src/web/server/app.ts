/** The express application: the API, its document, and how well the server is. */
import express, { type Express } from 'express';
import { openApiDocument } from '../api/openapi.ts';
import { ApiProblem } from '../api/problem.ts';
import { API, ROUTES } from '../api/routes.ts';
import type { ServerContext } from './context.ts';
import { accessHandlers } from './handlers/access.ts';
import { fleetHandlers } from './handlers/fleet.ts';
import { hostHandlers } from './handlers/hosts.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { orderHandlers } from './handlers/orders.ts';
import { scheduleHandlers } from './handlers/schedules.ts';
import { sameOrigin, securityHeaders } from './http/guard.ts';
import { mountHooks } from './http/hooks.ts';
import { type AllHandlers, mountRoutes } from './http/mount.ts';
import { mountOidc } from './http/oidc-routes.ts';
import { mountPage, PAGE_DIR } from './http/page.ts';
import { problemOf, sendProblem } from './http/problems.ts';
import { signInWaysWork, signInWork } from './http/sign-in.ts';
import { streamWork } from './http/stream.ts';
import type { Feeds } from './jobs/feeds.ts';
import { mountMetrics } from './metrics.ts';

export function createApp(context: ServerContext, feeds: Feeds): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  if (context.config?.metrics === true) mountMetrics(app, context);
  app.use(securityHeaders());
  app.use(sameOrigin);
  app.use(API, (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  app.get('/healthz', (_request, response) => void response.type('text/plain').send('ok\n'));
  const document = JSON.stringify(openApiDocument(ROUTES, context.version));
  app.get(
    `${API}/openapi.json`,
    (_request, response) => void response.type('application/json').send(document),
  );
  mountHooks(app, context);
  if (context.oidc !== undefined) mountOidc(app, context, context.oidc);
  mountRoutes(app, context, {
    handlers: {
      ...hostHandlers(context),
      ...jobHandlers(context),
      ...orderHandlers(context),
      ...fleetHandlers(context),
      ...scheduleHandlers(context),
      ...accessHandlers(context),
    } as unknown as AllHandlers,
    special: {
      signIn: signInWork(context),
      signInWays: signInWaysWork(context),
      streamJob: streamWork(context, feeds),
    },
  });
  mountPage(app, PAGE_DIR);
  app.use((request, _response, next) => next(new ApiProblem('not-found', `there is no ${request.path}`)));
  app.use(((error, _request, response, _next) => {
    sendProblem(
      response,
      isBadUrl(error)
        ? new ApiProblem('bad-request', 'the address cannot be decoded')
        : problemOf(error, context.log),
    );
  }) as express.ErrorRequestHandler);
  return app;
}

/** Express cannot decode a parameter: `%zz`. */
function isBadUrl(error: unknown): boolean {
  return error instanceof URIError;
}
