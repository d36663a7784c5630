/** One question to `kick pki serve`: HTTPS with TLS 1.3, bounded in time and size. */
import { constants } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { REFUSALS, type RefusalCode } from '../pki/enrolment-refusal.ts';
import type { DenyList } from '../pki/identity.ts';
import { attempts, isClosed } from '../transport/https/client/attempts.ts';
import { SENDER_LIMITS } from '../transport/https/client/limits.ts';
import { certificateWords } from '../transport/tls/certificate-words.ts';
import { SendError } from '../transport/transport.ts';
import { formatDuration } from '../util/duration.ts';
import { parseJson } from '../util/json.ts';
import { clip } from '../util/text.ts';
import { refuseServer } from './refuse-server.ts';
import { JSON_TYPE, MAX_ANSWER_BYTES, RefusalSchema, type ServerAddress } from './wire.ts';

/** Whom to believe, all PEM. */
export interface Trust {
  ca: string[];
  /** Absent: revocation is not checked. */
  crl?: string[];
  denied?: DenyList | undefined;
  /** Who we are. */
  key?: string | Buffer;
  cert?: string;
}

export interface Question {
  method: 'GET' | 'POST';
  path: string;
  /** 'nobody': what comes is checked in another way. */
  trust: Trust | 'nobody';
  /** JSON. */
  body?: string;
  /** Bytes of the answer; defaults to 64 KiB. */
  maxBytes?: number;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  body: Buffer;
  /** The server's clock, milliseconds since 1970. */
  date: number | undefined;
}

/** For name, TCP, TLS and answer together. */
const WHOLE_MS = 20_000;

/** Throws `KickError` `pki`: nobody there, not the one who was meant, or refused. */
export async function ask(server: ServerAddress, question: Question): Promise<Answer> {
  const doing = `ask kick pki serve on ${server.host}:${server.port}`;
  // What is asked may always be asked again.
  const { status, body, date } = await attempts(() => exchange(server, question, doing), {
    waitsMs: SENDER_LIMITS.againMs,
    withinMs: SENDER_LIMITS.connectMs,
    signal: question.signal ?? new AbortController().signal,
    isCutOff: (error) => error instanceof KickError && isClosed(error.cause),
  });
  if (status === 200) return { body, date };
  const code = refusalIn(body) ?? '';
  const [why = code === '' ? `it answered ${status}` : code, hint = 'its log says more'] =
    WORDS.get(code) ?? [];
  throw new KickError('pki', `${doing}: ${why}`, { hint });
}

const REPLACE = 'if this host is to have a new one, on the controller: kick pki token NAME --replace';

const HINTS: Readonly<Record<RefusalCode, string>> = {
  token: 'have a new one made on the controller: kick pki token NAME',
  used: 'if it was not by you: revoke the certificate on the controller (kick pki revoke NAME), and find out who',
  name: '--certname names another host',
  'has-certificate': REPLACE,
  unknown: REPLACE,
  'too-early': 'nothing: it is renewed in the last third of its life',
};

const WORDS = new Map(
  Object.entries(REFUSALS).map(([code, why]) => [code, [why, HINTS[code as RefusalCode]]]),
);

function refusalIn(body: Buffer): string | undefined {
  try {
    return v.parse(RefusalSchema, parseJson(body, { maxBytes: 1024 })).error;
  } catch {
    return undefined;
  }
}

function exchange(
  server: ServerAddress,
  question: Question,
  doing: string,
): Promise<{ status: number; body: Buffer; date: number | undefined }> {
  const { body = '', trust, maxBytes = MAX_ANSWER_BYTES, signal } = question;
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(optionsFor(server, question));
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const fail = (error: unknown) => {
      over();
      const socket = trust === 'nobody' ? null : (asked.socket as TLSSocket | null);
      asked.destroy();
      reject(failure(error, { doing, socket }));
    };
    const giveUp = () => fail(new Error('it was given up'));
    const timer = setTimeout(() => fail(new Error(`no answer within ${formatDuration(WHOLE_MS)}`)), WHOLE_MS);
    signal?.addEventListener('abort', giveUp, { once: true });
    asked.on('error', fail);
    asked.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) fail(new Error(`an answer of more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        over();
        if (!response.complete) return fail(new Error('the answer ended early'));
        const date = Date.parse(response.headers.date ?? '');
        const { statusCode: status = 0 } = response;
        resolve({ status, body: Buffer.concat(chunks), date: Number.isNaN(date) ? undefined : date });
      });
    });
    asked.end(body);
  });
}

function optionsFor(server: ServerAddress, { method, path, trust, body = '' }: Question): RequestOptions {
  const { host, port } = server;
  const common: RequestOptions = {
    ...{ host, port, method, path, agent: false, minVersion: 'TLSv1.3', ciphers: 'DEFAULT@SECLEVEL=2' },
    // A resumed session skips revocation and checkServerIdentity.
    secureOptions: constants.SSL_OP_NO_TICKET,
    maxHeaderSize: 8192,
    ...(method === 'POST' && {
      headers: {
        'content-length': Buffer.byteLength(body),
        ...(body !== '' && { 'content-type': JSON_TYPE }),
      },
    }),
  };
  if (trust === 'nobody') return { ...common, rejectUnauthorized: false };
  const { denied, ...material } = trust;
  return {
    ...common,
    ...material,
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => refuseServer(server, certificate, denied),
  };
}

function failure(error: unknown, { doing, socket }: { doing: string; socket: TLSSocket | null }): KickError {
  const code = systemCode(error) ?? '';
  const message = clip(messageOf(error), 300);
  const verdict: unknown = socket?.authorizationError;
  const said = (why: string, hint?: string) =>
    new KickError('pki', `${doing}: ${why}`, { cause: error, ...(hint !== undefined && { hint }) });
  if (code === 'ECONNREFUSED')
    return said('nothing listens there', 'on the controller: systemctl start kick-pki');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return said(
      'the name does not resolve',
      'add it to DNS or /etc/hosts: the server is verified by this name',
    );
  if (error instanceof KickError) return said(message, error.hint);
  if (error instanceof SendError) return said(message);
  if (/protocol version|wrong version number/.test(message))
    return said(
      'what listens there does not speak TLS 1.3',
      'is it kick pki serve? --server HOST:PORT says where that runs',
    );
  if (verdict !== undefined && verdict !== null) return said(certificateWords(code, message));
  return said(message);
}
