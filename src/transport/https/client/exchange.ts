/** One question on one connection: how far it got, and the head of the answer. */
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { systemCode } from '../../../errors.ts';
import { formatDuration } from '../../../util/duration.ts';
import { httpRequest } from '../../../util/node-http.ts';
import { SendError, type SendFailure, type Target } from '../../transport.ts';
import { EVENTS_TYPE, JSON_TYPE, REQUEST_TYPE } from '../media-types.ts';

export interface Question {
  method: 'GET' | 'POST';
  path: string;
  /** Sent only once the agent asks for it: until then nothing can have arrived. */
  body?: Uint8Array;
}

export interface ExchangeLimits {
  continueMs: number;
  answerMs: number;
  headerBytes: number;
}

export interface Answer {
  response: IncomingMessage;
  /** Whether the body was handed to the connection. */
  sent: boolean;
}

/** Asks; resolves with the head of the final answer, throws `SendError`. */
export function exchange(
  socket: TLSSocket,
  question: Question,
  { target, limits }: { target: Target; limits: ExchangeLimits },
): Promise<Answer> {
  const { body } = question;
  return new Promise((resolve, reject) => {
    let sent = false;
    const asked = httpRequest(requestOptions(socket, question, { target, limits }));
    const fail = (code: SendFailure, message: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new SendError(code, message, { arrived: sent, cause }));
    };
    const silent = (ms: number) => () =>
      fail('no-answer', `kick agent does not answer within ${formatDuration(ms)}`);
    const patience = body === undefined ? limits.answerMs : limits.continueMs;
    let timer = setTimeout(silent(patience), patience);
    asked.on('continue', () => {
      if (sent || body === undefined) return;
      sent = true;
      asked.end(body);
      clearTimeout(timer);
      timer = setTimeout(silent(limits.answerMs), limits.answerMs);
    });
    asked.on('response', (response) => {
      clearTimeout(timer);
      response.on('error', () => {}); // its reader handles errors
      resolve({ response, sent });
    });
    asked.on('upgrade', () => fail('garbage', 'not what kick agent says: an answer with status 101'));
    asked.on('error', (error) => {
      const [code, message] = wordsFor(error, sent);
      fail(code, message, error);
    });
    if (body === undefined) asked.end();
  });
}

function requestOptions(
  socket: TLSSocket,
  { method, path, body }: Question,
  { target, limits }: { target: Target; limits: ExchangeLimits },
): RequestOptions {
  return {
    createConnection: () => socket,
    host: target.certname,
    port: target.port,
    method,
    path,
    maxHeaderSize: limits.headerBytes,
    headers: {
      // Lets the agent distinguish a clock that is behind from a slow request (RFC 9110 6.6.1).
      date: new Date().toUTCString(),
      accept: `${EVENTS_TYPE}, ${JSON_TYPE}`,
      ...(body !== undefined && {
        'content-type': REQUEST_TYPE,
        'content-length': body.byteLength,
        expect: '100-continue',
      }),
    },
  };
}

/** With TLS 1.3 the agent's verdict on our certificate comes after the handshake, as an alert or a reset. */
function wordsFor(error: Error, sent: boolean): [SendFailure, string] {
  const code = systemCode(error) ?? '';
  if (code.startsWith('HPE_')) return ['garbage', `not what kick agent says: no HTTP answer (${code})`];
  if (sent) return ['broken', 'the connection broke after the request was sent'];
  return [
    'not-trusted',
    'kick agent closed the connection when it saw our certificate: not of its CA, or revoked, denied or expired there',
  ];
}
