/** DESIGN 6, the agent's API: four routes and nothing else. */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { ErrorRequestHandler, Express, NextFunction, Request, Response } from 'express';
import { messageOf } from '../../../errors.ts';
import { isUuid } from '../../../protocol/names.ts';
import { Refusal, type RefusalBody, RefusalSchema } from '../../../protocol/refusal.ts';
import { plainAddress } from '../../../util/address-group.ts';
import { fitTo } from '../../../util/fit.ts';
import type { Log } from '../../../util/log.ts';
import type { QuietLog } from '../../../util/quiet-log.ts';
import { originOf } from '../../guard/origin.ts';
import type { AgentService, Peer } from '../../transport.ts';
import type { ListenerLimits } from '../limits.ts';
import { JSON_TYPE } from '../media-types.ts';
import { writeEvents } from './event-writer.ts';
import { loadExpress } from './load-express.ts';
import { peerCertificate } from './peer-certificate.ts';
import { HttpProblem, REFUSAL_STATUS } from './refusal-status.ts';
import { readBody } from './request-body.ts';

export interface AgentAppOptions {
  log: Log;
  /** For events that strangers can cause at will. */
  quiet: QuietLog;
  limits: ListenerLimits;
}

export async function agentApp(service: AgentService, options: AgentAppOptions): Promise<RequestListener> {
  const express = await loadExpress();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(checkRequest);
  addRoutes(app, service, options.limits);
  refuseOthers(app);
  app.use(sendError(options));
  return (request, response) => app(request, response);
}

/** Checks for every route. */
function checkRequest(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('connection', 'close');
  response.on('error', () => response.destroy()); // a write after the other end has gone
  // Express answers HEAD and OPTIONS by itself.
  if (request.method !== 'GET' && request.method !== 'POST') throw wrongMethod('GET, POST');
  if (request.method === 'GET') refuseBody(request);
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new HttpProblem(417, 'unsupported', 'expect');
  }
  next();
}

function addRoutes(app: Express, service: AgentService, limits: ListenerLimits): void {
  app.post('/v1/runs', async (request, response) => {
    const peer = peerOf(request);
    await service.greet(peer);
    const body = await readBody(request, response, limits.requestBytes);
    await writeEvents(response, await service.submit(body, peer), limits);
  });
  app.get('/v1/jobs/:job/events', async (request, response) => {
    const peer = peerOf(request);
    const { job } = request.params;
    if (!isUuid(job)) throw new HttpProblem(400, 'malformed', 'job: not a UUID');
    const after = afterOf(request.originalUrl);
    await writeEvents(response, await service.events({ job, after }, peer), limits);
  });
  app.get('/v1/status', async (request, response) => {
    const isAsked = (what: string) => new RegExp(`[?&]${what}=1(&|$)`).test(request.originalUrl);
    const question = { classes: isAsked('classes'), doctor: isAsked('doctor') };
    sendJson(response, 200, await service.status(peerOf(request), question));
  });
  app.post('/v1/commands', async (request, response) => {
    const peer = peerOf(request);
    await service.greet(peer);
    const body = await readBody(request, response, limits.requestBytes);
    sendJson(response, 200, await service.command(body, peer));
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

function sendError({ log, quiet }: AgentAppOptions): ErrorRequestHandler {
  // Express recognises error handlers by their four arguments.
  return (error: unknown, request, response, _next) => {
    const address = plainAddress(originOf(request.socket).remoteAddress ?? '');
    if (response.headersSent) {
      log.error({ address, err: error }, 'the stream of events broke');
      response.destroy();
      return;
    }
    const answer = answerTo(error);
    if (answer === undefined) log.error({ address, err: error }, 'a request met an error of our own');
    else if (!(error instanceof Refusal)) {
      quiet({ address, status: answer.status, reason: messageOf(error) }, 'request turned away');
    }
    const { status, body, headers } = answer ?? { status: 500, body: INTERNAL, headers: {} };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    sendJson(response, status, body);
  };
}

const INTERNAL: RefusalBody = { code: 'internal' };

interface Answer {
  status: number;
  body: RefusalBody;
  headers: Record<string, string>;
}

function answerTo(error: unknown): Answer | undefined {
  if (error instanceof Refusal) {
    const body = fitTo(RefusalSchema, error.body) ?? { code: error.code };
    return { status: REFUSAL_STATUS[error.code], body, headers: {} };
  }
  if (error instanceof HttpProblem) return error;
  // From Express, for invalid percent-encoding in a path.
  if (error instanceof URIError) return { status: 400, body: { code: 'malformed' }, headers: {} };
  return undefined;
}

function refuse(problem: HttpProblem): never {
  throw problem;
}

function wrongMethod(allow: string): HttpProblem {
  return new HttpProblem(405, 'unsupported', 'method', { allow });
}

function refuseBody({ headers }: IncomingMessage): void {
  const none = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
  if (!none) throw new HttpProblem(400, 'malformed', 'a body where none is expected');
}

function peerOf({ socket, headers }: IncomingMessage): Peer {
  const certificate = peerCertificate(socket);
  if (certificate === undefined) throw new HttpProblem(403, 'peer-mismatch', 'no client certificate');
  const time = Date.parse(headers.date ?? '');
  return {
    certificate,
    address: plainAddress(originOf(socket).remoteAddress ?? ''),
    ...(Number.isFinite(time) && { time }),
  };
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

function sendJson(response: Response, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': JSON_TYPE,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
  });
  response.end(body);
}
