/** The four routes of `kick pki serve`. What is refused is told in a word; the rest is in the log. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import * as v from 'valibot';
import { messageAndHint } from '../errors.ts';
import { EnrolmentRefusal, type RefusalCode } from '../pki/enrolment-refusal.ts';
import type { Enrolments, Issued } from '../pki/enrolments.ts';
import type { Identity } from '../pki/identity.ts';
import { plainAddress } from '../util/address-group.ts';
import { JsonError, parseJson } from '../util/json.ts';
import type { Log } from '../util/log.ts';
import type { QuietLog } from '../util/quiet-log.ts';
import { clip } from '../util/text.ts';
import {
  type FirstRequest,
  FirstSchema,
  JSON_TYPE,
  MAX_BODY_BYTES,
  PEM_TYPE,
  provenKey,
  ROUTES,
} from './wire.ts';

export interface RoutesContext {
  identity(): Identity;
  enrolments: Enrolments;
  log: Log;
  /** For what strangers cause. */
  quiet: QuietLog;
}

/** Of what a stranger says, in the log. */
const MAX_SHOWN = 100;

/** An answer other than 200. */
class Problem extends Error {
  readonly status: number;
  /** What the node is told; the message is for the log. */
  readonly code: string;

  constructor(status: number, code: string, message: string = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const STATUS: Readonly<Record<RefusalCode, number>> = {
  token: 403,
  used: 403,
  name: 403,
  unknown: 403,
  'has-certificate': 409,
  'too-early': 409,
};

type Route = (request: IncomingMessage, context: RoutesContext) => Promise<{ type: string; body: string }>;

const TABLE: Readonly<Record<string, Route>> = {
  [`GET ${ROUTES.ca}`]: async (_, { identity }) => ({
    type: PEM_TYPE,
    body: identity().ca.map(String).join(''),
  }),
  [`GET ${ROUTES.crl}`]: async (_, { identity }) => ({ type: PEM_TYPE, body: identity().crls.join('') }),
  [`POST ${ROUTES.certificate}`]: async (request, context) => answerOf(await first(request, context)),
  [`POST ${ROUTES.renewal}`]: async (request, context) => answerOf(await renewal(request, context)),
};

export function createRoutes(context: RoutesContext): RequestListener {
  return (request, response) => {
    response.on('error', () => {});
    answer(request, response, context).catch((error: unknown) => {
      context.log.error({ reason: messageAndHint(error) }, 'cannot answer');
      response.destroy();
    });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: RoutesContext,
): Promise<void> {
  try {
    const { method, url } = request;
    const route = Object.hasOwn(TABLE, `${method} ${url}`) ? TABLE[`${method} ${url}`] : undefined;
    if (route === undefined) throw new Problem(404, 'not-found', clip(`${method} ${url}`, MAX_SHOWN));
    const { type, body } = await route(request, context);
    end(response, { status: 200, type, body });
  } catch (error) {
    const problem = problemOf(error, context);
    context.quiet({ audit: 'refused', address: addressOf(request), reason: problem.message }, 'refused');
    end(response, { status: problem.status, type: JSON_TYPE, body: JSON.stringify({ error: problem.code }) });
  }
}

function end(
  response: ServerResponse,
  { status, type, body }: { status: number; type: string; body: string },
): void {
  const headers = {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  };
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
}

function problemOf(error: unknown, { log }: RoutesContext): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof EnrolmentRefusal) return new Problem(STATUS[error.code], error.code, error.message);
  log.error({ reason: messageAndHint(error) }, 'the CA cannot be used');
  return new Problem(503, 'unavailable', 'the CA cannot be used');
}

const answerOf = ({ pem }: Issued) => ({ type: JSON_TYPE, body: JSON.stringify({ certificate: pem }) });

async function first(request: IncomingMessage, { enrolments, log }: RoutesContext): Promise<Issued> {
  const body = parsed(await bodyOf(request));
  const { id, secret, name } = body;
  // Cheap, and without the CA's lock: most who ask without a token get no further.
  if (!(await enrolments.knows(id, secret))) throw new EnrolmentRefusal('token');
  const key = provenKey(body);
  if (key === undefined) throw new Problem(400, 'malformed', 'no P-256 key, or no proof of having it');
  const issued = await enrolments.redeem({ id, secret, name, key });
  log.info(
    { ...auditOf(request, issued), token: id },
    issued.isAgain ? 'certificate handed out again' : 'enrolled',
  );
  return issued;
}

async function renewal(
  request: IncomingMessage,
  { identity, enrolments, log }: RoutesContext,
): Promise<Issued> {
  const socket = request.socket as TLSSocket;
  // For a chain that ends at our CA, with dates, usage and CRL checked.
  const certificate: Buffer | undefined = socket.authorized
    ? socket.getPeerCertificate(false).raw
    : undefined;
  if (certificate === undefined) throw new EnrolmentRefusal('unknown');
  const entry = identity().denied?.denies(certificate);
  if (entry !== undefined) throw new Problem(403, 'unknown', `denied here: ${entry}`);
  if ((await bodyOf(request)).length > 0) throw new Problem(400, 'malformed', 'a body');
  const issued = await enrolments.renew(certificate);
  log.info(auditOf(request, issued), issued.isAgain ? 'certificate handed out again' : 'renewed');
  return issued;
}

function auditOf(request: IncomingMessage, { entry: { name, role, serial } }: Issued) {
  return { audit: 'certificate', name, role, serial, address: addressOf(request) };
}

const addressOf = ({ socket }: IncomingMessage) => plainAddress(socket.remoteAddress ?? '');

/** Throws `Problem` before it reads anything that is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const { headers } = request;
  const length = Number(headers['content-length']);
  if (headers['transfer-encoding'] !== undefined || !Number.isSafeInteger(length))
    throw new Problem(411, 'malformed');
  if (length > MAX_BODY_BYTES) throw new Problem(413, 'malformed', `${length} bytes`);
  if (length > 0 && headers['content-type'] !== JSON_TYPE)
    throw new Problem(415, 'malformed', 'content-type');
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    throw new Problem(400, 'malformed', 'the body ended early');
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer): FirstRequest {
  try {
    const { success, output } = v.safeParse(
      FirstSchema,
      parseJson(bytes, { maxBytes: MAX_BODY_BYTES, maxDepth: 1 }),
    );
    if (success) return output;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new Problem(400, 'malformed', 'not a request of ours');
}
