/** The server's own OpenAPI document as a judge of its answers. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Reply, WebServer } from './web-site.ts';

export interface Judge {
  document: Record<string, unknown>;
  /** What is wrong with an answer of an operation; undefined: nothing. */
  verdict(operationId: string, reply: Reply): string | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the document is data, looked into by path
type Any = any;

export async function readJudge(server: WebServer): Promise<Judge> {
  const { json: document } = await server.ask('openapi.json');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'kick');
  const operations = new Map<string, Any>();
  for (const path of Object.values<Any>(document.paths)) {
    for (const operation of Object.values<Any>(path)) operations.set(operation.operationId, operation);
  }
  const known = new Map<object, ValidateFunction>();
  const check = (schema: Any): ValidateFunction => {
    const whole = schema.$ref?.startsWith('#') ? { $ref: `kick${schema.$ref}` } : schema;
    const made = known.get(schema) ?? ajv.compile(whole);
    known.set(schema, made);
    return made;
  };
  return {
    document,
    verdict(operationId, { status, headers, text, json }) {
      const said = operations.get(operationId)?.responses[status];
      if (said === undefined) return `${status} is not in the document of ${operationId}: ${text}`;
      if (said.content === undefined) return text === '' ? undefined : `a body: ${text}`;
      const [[type, { schema }]] = Object.entries<Any>(said.content) as [[string, Any]];
      if (!String(headers['content-type']).startsWith(type)) return `it is ${headers['content-type']}`;
      if (type === 'text/event-stream') return undefined;
      const validate = check(schema);
      return validate(json) ? undefined : `${ajv.errorsText(validate.errors)} in ${text.slice(0, 500)}`;
    },
  };
}
