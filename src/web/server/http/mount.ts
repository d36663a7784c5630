/** Mounts the table of routes: who, what, may they, do it, write it down. */
import type { Express, Request, Response } from 'express';
import { ApiProblem } from '../../api/problem.ts';
import type { Asked, Route } from '../../api/route.ts';
import { API, type ApiRoutes, ROUTES } from '../../api/routes.ts';
import { authenticate } from '../access/authenticate.ts';
import type { Caller } from '../access/caller.ts';
import { checkRole } from '../access/may.ts';
import type { Note, ServerContext } from '../context.ts';
import type { Idempotency } from './idempotency.ts';
import { inputOf } from './input.ts';
import { problemOf, sendProblem } from './problems.ts';

type Work = (asked: Asked<Route>, caller: Caller, note: Note) => Promise<unknown>;

/** Routes that answer by themselves: sign-in has no caller yet, streams have no end. */
type Special = 'signIn' | 'signInWays' | 'streamJob';

export type AllHandlers = Readonly<Record<Exclude<keyof ApiRoutes, Special>, Work>>;

export type SpecialWork = (request: Request, response: Response, caller: Caller | undefined) => Promise<void>;

export function mountRoutes(
  app: Express,
  context: ServerContext,
  { handlers, special }: { handlers: AllHandlers; special: Readonly<Record<Special, SpecialWork>> },
): void {
  const { idempotency } = context;
  const methods = new Map<string, string[]>();
  for (const [name, route] of Object.entries(ROUTES) as [keyof ApiRoutes, Route][]) {
    const path = `${API}${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    methods.set(path, [...(methods.get(path) ?? []), route.method.toUpperCase()]);
    app[route.method](path, (request, response) =>
      name in special
        ? answerSpecially(special[name as Special], route, { context, request, response })
        : answer(handlers[name as keyof AllHandlers], route, { context, request, response, idempotency }),
    );
  }
  for (const [path, allowed] of methods) {
    app.all(path, (_request, response) => {
      response.setHeader('Allow', allowed.join(', '));
      sendProblem(response, new ApiProblem('no-method', `here are ${allowed.join(', ')}`));
    });
  }
}

interface Exchange {
  context: ServerContext;
  request: Request;
  response: Response;
}

async function answerSpecially(work: SpecialWork, route: Route, { context, request, response }: Exchange) {
  try {
    // A browser opens a stream again by itself.
    const how = route.streams === true ? { isUse: false } : {};
    const caller = await callerOf({ request, context }, how);
    if (route.role !== 'anyone') checkRole(known(caller), route.role);
    await work(request, response, caller);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else sendProblem(response, problemOf(error, context.log));
  }
}

async function answer(
  work: Work,
  route: Route,
  exchange: Exchange & { idempotency: Idempotency },
): Promise<void> {
  const { context, request, response, idempotency } = exchange;
  const note: Note = {};
  let caller: Caller | undefined;
  let status: number = route.status ?? 200;
  try {
    caller = known(await callerOf(exchange));
    if (route.role !== 'anyone') checkRole(caller, route.role);
    const asked = await inputOf(route, request);
    const doIt = work.bind(undefined, asked, caller, note);
    const key = route.starts === true ? request.headers['idempotency-key'] : undefined;
    const named = { caller: caller.name, key: String(key), request: JSON.stringify([request.path, asked]) };
    const reply = await (key === undefined
      ? doIt()
      : idempotency.once(named, (begins) => {
          note.begins = begins;
          return doIt();
        }));
    for (const [name, value] of Object.entries(note.headers ?? {})) response.setHeader(name, value);
    if (reply === undefined) response.status(status).end();
    else response.status(status).json(reply);
  } catch (error) {
    const problem = problemOf(error, context.log);
    status = problem.status;
    note.detail ??= problem.message;
    sendProblem(response, problem);
  }
  // Strangers cannot fill the disk.
  if (route.method !== 'get' && caller !== undefined)
    await writeDown({ context, request, caller, status, note });
}

async function writeDown({
  context,
  request,
  caller,
  status,
  note,
}: Pick<Exchange, 'context' | 'request'> & { caller: Caller; status: number; note: Note }) {
  const { headers: _headers, begins: _begins, ...said } = note;
  // Questions that are only posted because they have a body change nothing.
  if (/\/(resolve|status|summary|doctor)$/.test(request.path) && status < 400) return;
  await context.audit.add({
    who: caller.name,
    via: caller.via,
    address: request.socket.remoteAddress ?? '',
    what: `${request.method} ${request.path}`,
    status,
    ...said,
  });
}

async function callerOf(
  { request, context: { doors, guard } }: Pick<Exchange, 'request' | 'context'>,
  how?: { isUse?: boolean },
): Promise<Caller | undefined> {
  const caller = await authenticate(request, doors, how);
  if (caller !== undefined) guard.know(request.socket);
  return caller;
}

function known(caller: Caller | undefined): Caller {
  if (caller !== undefined) return caller;
  throw new ApiProblem('not-signed-in', 'there is no session, token or certificate that is known', {
    hint: 'POST /api/v1/session, or the header Authorization: Bearer TOKEN',
  });
}
