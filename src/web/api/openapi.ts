/** The OpenAPI 3.1 document, made from the table of routes. */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { PROBLEMS, ProblemSchema } from './problem.ts';
import type { Route, Routes } from './route.ts';

const BASE = '/api/v1';

export function openApiDocument(routes: Routes, version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, route] of Object.entries(routes)) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'kick',
      version,
      description: 'Make Puppet run now on the hosts you name, and tell the truth about what happened.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: BASE }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of POST /tokens' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-kick' },
      },
      schemas: { Problem: schemaOf(ProblemSchema, 'output') },
    },
  };
}

function operation(operationId: string, route: Route): object {
  const { role, summary, body, starts } = route;
  return {
    operationId,
    summary,
    description: role === 'anyone' ? 'Needs no session.' : `Needs the role ${role}.`,
    ...(role === 'anyone' && { security: [] }),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(starts === true ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: { ...replyOf(route), ...problemsOf(route) },
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key again is answered with what was answered first, and starts nothing.',
  schema: { type: 'string', minLength: 1, maxLength: 128 },
};

function replyOf({ reply, streams, status = 200 }: Route): Record<string, object> {
  if (streams === true) {
    const schema = { type: 'string', description: 'Server-sent events: each datum is a list of news' };
    return { 200: { description: 'A stream', content: { 'text/event-stream': { schema } } } };
  }
  if (reply === undefined) return { [status]: { description: 'Done' } };
  return {
    [status]: {
      description: 'Done',
      content: { 'application/json': { schema: schemaOf(reply, 'output') } },
    },
  };
}

function problemsOf({ role, body }: Route): Record<string, object> {
  const statuses = [
    ...[400, 401, 403, 404, 409],
    ...(body === undefined ? [] : [413, 415, 422]),
    ...(role === 'anyone' ? [429] : []),
    // 503: PuppetDB, the disk, a key that cannot be read.
    ...[500, 503],
  ];
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...new Set(statuses)].map((status) => [status, { description: titleOf(status), content }]),
  );
}

function titleOf(status: number): string {
  return Object.values(PROBLEMS).find(([number]) => number === status)?.[1] ?? 'A problem';
}

function parametersOf(schema: v.GenericSchema | undefined, where: 'path' | 'query'): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input');
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

/**
 * Checks that JSON Schema has no words for (a text that is not blank) are left to the server. `boundedArray` is several
 * schemas in a pipe, of which the later ones say more: in the mode `ignore` each is applied to what those before it made.
 */
function schemaOf(schema: v.GenericSchema, side: 'input' | 'output'): JsonSchema {
  const { $schema: _schema, ...made } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: side === 'input' ? 'ignore' : 'output',
    errorMode: 'ignore',
    ignoreActions: ['check', 'transform'],
  });
  return made;
}
