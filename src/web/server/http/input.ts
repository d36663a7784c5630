/** A request's parameters, query and body, each through its schema; all that is wrong is said at once. */
import type { Request } from 'express';
import * as v from 'valibot';
import { JsonError, parseJson } from '../../../util/json.ts';
import { problemsOf } from '../../../util/schema.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Asked, Route } from '../../api/route.ts';

const MAX_ERRORS = 20;
export const MAX_BODY = 1 << 20;

interface FieldError {
  path: string;
  message: string;
}

/** Throws `ApiProblem` `bad-request`, `not-json` or `too-large`. */
export async function inputOf<R extends Route>(route: R, request: Request): Promise<Asked<R>> {
  const errors: FieldError[] = [];
  const read = (schema: v.GenericSchema | undefined, value: unknown, where: string) => {
    if (schema === undefined) return undefined;
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    errors.push(
      ...problemsOf(parsed.issues).map(({ path, message }) => ({
        path: [where, ...path].join('.'),
        message,
      })),
    );
    return undefined;
  };
  const asked = {
    params: read(route.params, request.params, 'path'),
    query: read(route.query, queryOf(request), 'query'),
    body:
      route.body === undefined ? undefined : read(route.body, await jsonBody(request, route.maxBody), 'body'),
  };
  if (errors.length === 0) return asked as Asked<R>;
  const [first] = errors;
  throw new ApiProblem('bad-request', `${first?.path}: ${first?.message}`, {
    errors: errors.slice(0, MAX_ERRORS),
  });
}

/** A parameter that is given twice is a list, which no schema takes. */
function queryOf(request: Request): Record<string, unknown> {
  const mark = request.originalUrl.indexOf('?');
  const query: Record<string, unknown> = Object.create(null);
  if (mark < 0) return {};
  for (const [name, value] of new URLSearchParams(request.originalUrl.slice(mark + 1))) {
    const before = query[name];
    if (Array.isArray(before)) before.push(value);
    else query[name] = before === undefined ? value : [before, value];
  }
  return { ...query };
}

async function jsonBody(request: Request, maxBytes = MAX_BODY): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new ApiProblem('not-json', `it is ${type ?? 'of no type'}`);
  const bytes = await bodyBytes(request, { maxBytes });
  try {
    return parseJson(bytes, { maxBytes, maxDepth: 16 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ApiProblem('bad-request', `body: ${error.message}`, {
      errors: [{ path: 'body', message: error.message }],
    });
  }
}

/** One that takes longer than `withinMs` ends early. Throws `ApiProblem` `too-large`, and `bad-request` for one that ends early. */
export async function bodyBytes(
  request: Pick<Request, 'headers' | 'destroy' | typeof Symbol.asyncIterator>,
  { maxBytes = MAX_BODY, withinMs }: { maxBytes?: number; withinMs?: number } = {},
): Promise<Buffer> {
  const tooLarge = () => new ApiProblem('too-large', `the limit is ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  const timer = withinMs === undefined ? undefined : setTimeout(() => request.destroy(), withinMs);
  try {
    for await (const part of request) {
      size += part.length;
      if (size > maxBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    // Whoever hangs up in the middle is no fault of ours, and fills no log.
    throw error instanceof ApiProblem ? error : new ApiProblem('bad-request', 'the body ended early');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts);
}
