/** One route of the REST API: its validation, its part of the OpenAPI document and the page's client all come from this. */
import type * as v from 'valibot';

/** From the least to the most powerful: each may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Route {
  method: 'get' | 'post' | 'delete';
  /** Below `/api/v1`, with parameters as in `/jobs/{job}`. */
  path: string;
  /** The least role that may use it; `anyone`: also without a session. */
  role: Role | 'anyone';
  /** One line for the document. */
  summary: string;
  params?: v.GenericSchema;
  query?: v.GenericSchema;
  body?: v.GenericSchema;
  /** Bytes of the body; defaults to 1 MiB. */
  maxBody?: number;
  /** Undefined: an event stream, or nothing at all (204). */
  reply?: v.GenericSchema;
  /** Defaults to 200. */
  status?: 200 | 201 | 202 | 204;
  /** It starts something: the header `Idempotency-Key` makes sure that it does so once. */
  starts?: true;
  /** Server-sent events. */
  streams?: true;
}

/** Names by which handlers and the client call them. */
export type Routes = Readonly<Record<string, Route>>;

export function route<const R extends Route>(one: R): R {
  return one;
}

type Out<S> = S extends v.GenericSchema ? v.InferOutput<S> : undefined;

/** What has been validated of a request. */
export interface Asked<R extends Route> {
  params: Out<R['params']>;
  query: Out<R['query']>;
  body: Out<R['body']>;
}

/** The answer of a route's handler. */
export type Answer<R extends Route> = R['reply'] extends v.GenericSchema
  ? v.InferInput<R['reply']>
  : undefined;
