/** DESIGN 6, the agent's API: four routes and nothing else. */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { ErrorRequestHandler, Express, NextFunction, Request, Response } from 'express';
import { MAX_DISCOVERY_BYTES, type Verdict } from '../../../protocol/discovery.ts';
import { isUuid } from '../../../protocol/names.ts';
import type { AgentService, Peer } from '../../transport.ts';
import type { ListenerLimits } from '../limits.ts';
import { type ErrorLogs, sendError, sendJson } from './answers.ts';
import { writeEvents } from './event-writer.ts';
import { loadExpress } from './load-express.ts';
import { HttpProblem } from './refusal-status.ts';
import { readBody } from './request-body.ts';
import { addressOf, checkRequest, peerOf, wrongMethod } from './request-checks.ts';

/** Who asks; throws `HttpProblem`. */
export type PeerOf = (request: IncomingMessage) => Peer;

export interface AgentAppOptions extends ErrorLogs {
  limits: ListenerLimits;
  /** Defaults to the peer that TLS has verified. */
  peerOf?: PeerOf;
  /** A further route, for a listener in front of us: what this host says to a question of discovery, if anything (DESIGN 14). */
  judge?: ((question: Uint8Array) => Promise<Verdict | undefined>) | undefined;
}

export async function agentApp(service: AgentService, options: AgentAppOptions): Promise<RequestListener> {
  const express = await loadExpress();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use((request: Request, response: Response, next: NextFunction) => {
    checkRequest(request, response);
    next();
  });
  addRoutes(app, service, { peerOf, ...options });
  if (options.judge !== undefined) addQuestions(app, options.judge);
  refuseOthers(app);
  app.use(answerErrors(options));
  return (request, response) => app(request, response);
}

function addRoutes(
  app: Express,
  service: AgentService,
  { limits, peerOf: peerIn }: AgentAppOptions & { peerOf: PeerOf },
): void {
  app.post('/v1/runs', async (request, response) => {
    const peer = peerIn(request);
    await service.greet(peer);
    const body = await readBody(request, response, limits.requestBytes);
    await writeEvents(response, await service.submit(body, peer), limits);
  });
  app.get('/v1/jobs/:job/events', async (request, response) => {
    const peer = peerIn(request);
    const { job } = request.params;
    if (!isUuid(job)) throw new HttpProblem(400, 'malformed', 'job: not a UUID');
    const after = afterOf(request.originalUrl);
    await writeEvents(response, await service.events({ job, after }, peer), limits);
  });
  app.get('/v1/status', async (request, response) => {
    const isAsked = (what: string) => new RegExp(`[?&]${what}=1(&|$)`).test(request.originalUrl);
    const question = { classes: isAsked('classes'), doctor: isAsked('doctor') };
    sendJson(response, 200, await service.status(peerIn(request), question));
  });
  app.post('/v1/commands', async (request, response) => {
    const peer = peerIn(request);
    await service.greet(peer);
    const body = await readBody(request, response, limits.requestBytes);
    sendJson(response, 200, await service.command(body, peer));
  });
}

/** It brings its asker's certificates itself. */
function addQuestions(app: Express, judge: NonNullable<AgentAppOptions['judge']>): void {
  app.post('/v1/questions', async (request, response) => {
    const verdict = await judge(await readBody(request, response, MAX_DISCOVERY_BYTES));
    if (verdict === undefined) response.writeHead(204).end();
    else sendJson(response, 200, verdict);
  });
}

/** Refuses other methods and other paths. */
function refuseOthers(app: Express): void {
  app.all('/v1/runs', () => refuse(wrongMethod('POST')));
  app.all('/v1/commands', () => refuse(wrongMethod('POST')));
  app.all('/v1/status', () => refuse(wrongMethod('GET')));
  app.all('/v1/jobs/:job/events', () => refuse(wrongMethod('GET')));
  app.use(() => refuse(new HttpProblem(404, 'unsupported', 'no such route')));
}

function answerErrors(logs: ErrorLogs): ErrorRequestHandler {
  // Express recognises error handlers by their four arguments.
  return (error: unknown, request, response, _next) =>
    sendError(response, error, { ...logs, address: addressOf(request) });
}

function refuse(problem: HttpProblem): never {
  throw problem;
}

/** `?after=SEQ` and nothing else. */
function afterOf(url: string): number {
  const digits = /\?after=(\d{1,16})$/.exec(url)?.[1];
  const after = Number(digits);
  if (digits === undefined || url.indexOf('?') !== url.lastIndexOf('?') || !Number.isSafeInteger(after)) {
    throw new HttpProblem(400, 'malformed', 'after: not a number of an event');
  }
  return after;
}
