/**
 * The client of the REST API. What may be asked, with what, and what comes back are the types of the server's own table of
 * routes: a call is named by its method and path, so that nothing of the table itself is in what browsers load.
 */
import type * as v from 'valibot';
import type { Problem } from '../../api/problem.ts';
import type { Route } from '../../api/route.ts';
import type { ApiRoutes } from '../../api/routes.ts';
import { isLeft } from './touched.ts';

const API = '/api/v1';

type KeyOf<R extends Route> = `${R['method']} ${R['path']}`;
type ByKey = { [Name in keyof ApiRoutes as KeyOf<ApiRoutes[Name]>]: ApiRoutes[Name] };

/** `get /jobs/{job}`. */
export type Call = keyof ByKey;

type In<S> = S extends v.GenericSchema ? v.InferInput<S> : never;
type Part<R, Key extends string> =
  R extends Record<Key, infer S extends v.GenericSchema> ? Record<Key, In<S>> : unknown;

export type Ask<C extends Call> = Part<ByKey[C], 'params'> & Part<ByKey[C], 'body'> & Query<ByKey[C]>;
type Query<R> = R extends { query: infer S extends v.GenericSchema } ? { query?: In<S> } : unknown;

export type Reply<C extends Call> = ByKey[C] extends { reply: infer S extends v.GenericSchema }
  ? v.InferOutput<S>
  : undefined;

/** What the API answers when it does not do as asked, or what became of the network. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** What is wrong with a field, by the beginning of its path: `body.choice.hosts`. */
  at(path: string): string | undefined {
    return this.problem.errors?.find((one) => one.path.startsWith(path))?.message;
  }
}

interface Options {
  signal?: AbortSignal | undefined;
  /** Makes sure that what is asked twice starts once. */
  idempotencyKey?: string;
}

interface Loose {
  params?: Record<string, string>;
  query?: Record<string, string | undefined>;
  body?: unknown;
}

/** Throws `ApiError`; with status 0 if there is no way to the server. */
export async function call<C extends Call>(name: C, ask: Ask<C>, options: Options = {}): Promise<Reply<C>> {
  const [method = '', path = ''] = name.split(' ');
  const { params = {}, query = {}, body } = ask as Loose;
  const response = await reach(addressOf(path, params, query), {
    method: method.toUpperCase(),
    credentials: 'same-origin',
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(isLeft() && { 'X-Kick-Background': '1' }),
      ...(options.idempotencyKey !== undefined && { 'Idempotency-Key': options.idempotencyKey }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: options.signal ?? null,
  });
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as Reply<C>;
}

/** The address of a route's path with its parameters. */
export function addressOf(
  path: string,
  params: Record<string, string> = {},
  query: Record<string, string | undefined> = {},
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return `${API}${filled}${search === '' ? '' : `?${search}`}`;
}

async function reach(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({ type: 'about:blank', title: 'offline', status: 0, code: 'offline' });
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const { status, statusText: title } = response;
  try {
    return (await response.json()) as Problem;
  } catch {
    return { type: 'about:blank', title, status, code: 'internal' };
  }
}
