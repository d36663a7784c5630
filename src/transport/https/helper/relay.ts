/** DESIGN 14, the listener's side: hands each request on to the helper, and its answer back, byte for byte. */
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../../errors.ts';
import { Refusal } from '../../../protocol/refusal.ts';
import type { BrokerStatus } from '../../../protocol/status.ts';
import { httpRequest } from '../../../util/node-http.ts';
import type { AgentService, Peer } from '../../transport.ts';
import type { ListenerLimits } from '../limits.ts';
import { type ErrorLogs, sendError } from '../listener/answers.ts';
import { readBody } from '../listener/request-body.ts';
import { addressOf, checkRequest, peerOf } from '../listener/request-checks.ts';
import { EVENTS_TYPE } from '../media-types.ts';
import { handOn } from './handed-on.ts';

export interface RelayOptions extends ErrorLogs {
  /** The helper's socket. */
  helper: string;
  limits: ListenerLimits;
  /** For what the helper reports; undefined: there are none. */
  brokerStatus?(): BrokerStatus | undefined;
  /** Ends the streams, which can be resumed later. */
  ending: AbortSignal;
}

/** Where a body is read, and that only from controllers. */
const POSTS = ['/v1/runs', '/v1/commands'];

export function relayApp(service: Pick<AgentService, 'greet'>, options: RelayOptions): RequestListener {
  return (request, response) => {
    relay(service, { request, response }, options).catch((error: unknown) => {
      sendError(response, error, { ...options, address: addressOf(request) });
    });
  };
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

async function relay(
  service: Pick<AgentService, 'greet'>,
  { request, response }: Exchange,
  { helper, limits, ending, brokerStatus, quiet }: RelayOptions,
): Promise<void> {
  checkRequest(request, response);
  const peer = peerOf(request);
  await service.greet(peer);
  const { method = '', url = '' } = request;
  const body =
    method === 'POST' && POSTS.includes(url)
      ? await readBody(request, response, limits.requestBytes)
      : new Uint8Array(0);
  const broker = brokerStatus?.();
  const asking = { ...peer, ...(broker !== undefined && { broker }) };
  const answer = await ask(helper, { request, peer: asking, body }, response).catch((error: unknown) => {
    quiet({ helper, reason: messageOf(error) }, 'no helper: nothing can be asked here until it is back');
    throw error;
  });
  if (answer === undefined) return;
  response.writeHead(answer.statusCode ?? 502, kept(answer.headers));
  response.flushHeaders();
  const isStream = answer.headers['content-type'] === EVENTS_TYPE;
  // Whoever goes away first, so does the other: a stream that breaks is resumed.
  await pipeline(answer, response, isStream ? { signal: ending } : {}).catch(() => {});
}

const KEPT = ['content-type', 'content-length', 'cache-control', 'allow'] as const;

const kept = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(KEPT.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));

/**
 * The head of the helper's answer. Undefined, and the connection cut, if there is none although the request may have arrived:
 * a refusal would say that it has not. Throws `Refusal` `stopping` if it has not.
 */
function ask(
  helper: string,
  { request, peer, body }: { request: IncomingMessage; peer: Peer; body: Uint8Array },
  response: ServerResponse,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = request;
    let isThere = false;
    const asked = httpRequest({
      socketPath: helper,
      agent: false,
      ...(method !== undefined && { method }),
      path: url,
      headers: { ...handOn(peer, headers), host: 'helper', 'content-length': body.byteLength },
    });
    const leave = () => void asked.destroy();
    response.once('close', leave);
    asked.once('socket', (socket) => socket.once('connect', () => (isThere = true)));
    asked.once('response', resolve);
    asked.on('error', (error) => {
      if (!isThere && !response.destroyed) {
        return reject(new Refusal('stopping', `no helper at "${helper}": ${messageOf(error)}`));
      }
      response.destroy();
      resolve(undefined);
    });
    asked.end(body);
  });
}
