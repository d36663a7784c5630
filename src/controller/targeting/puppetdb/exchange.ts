/** One query to one PuppetDB: a POST, and its answer, bounded in time and size. */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { tlsMaterial } from '../../../pki/tls-material.ts';
import { httpRequest } from '../../../util/node-http.ts';

export interface ExchangeOptions {
  identity(): Promise<Identity>;
  /** Milliseconds for a whole answer. */
  timeoutMs: number;
  /** Bytes of an answer. */
  maxBytes: number;
  body: string;
}

export interface RawAnswer {
  status: number;
  text: string;
}

/** This PuppetDB cannot be reached; another one may be. */
export class Unreached extends Error {}

/** Throws `Unreached`, and `KickError` `puppetdb` where another URL would not help. */
export async function exchange(url: string, options: ExchangeOptions): Promise<RawAnswer> {
  const { identity, maxBytes } = options;
  const target = new URL('/pdb/query/v4', url);
  const isPlain = target.protocol === 'http:';
  if (isPlain && !isLoopback(target.hostname)) throw problem(url, 'it is neither https nor on this machine');
  const tls = isPlain ? {} : { ...tlsMaterial(await identity()), minVersion: 'TLSv1.2' as const };
  const request = (isPlain ? httpRequest : httpsRequest)(target, { ...tls, ...requestOptions(options) });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('error', reject);
      request.once('response', resolve);
      request.end(options.body);
    });
    const text = await readAll(response, { url, maxBytes });
    return { status: response.statusCode ?? 0, text };
  } catch (error) {
    throw error instanceof KickError ? error : unreached(url, error, options);
  }
}

function requestOptions({ timeoutMs, body }: ExchangeOptions) {
  return {
    method: 'POST',
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  };
}

async function readAll(
  response: IncomingMessage,
  { url, maxBytes }: { url: string; maxBytes: number },
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw problem(url, `its answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreached(url: string, error: unknown, { timeoutMs }: ExchangeOptions): Unreached {
  const isLate = error instanceof Error && error.name === 'AbortError';
  const why = isLate ? `no answer within ${timeoutMs / 1000} s` : connectionWords(error);
  return new Unreached(`${url}: ${why}`);
}

function connectionWords(error: unknown): string {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
      return 'no such name';
    case 'ECONNRESET':
      return 'it closed the connection (does it accept our certificate?)';
    default:
      return messageOf(error);
  }
}

export function problem(url: string, why: string): KickError {
  return new KickError('puppetdb', `ask PuppetDB at ${url}: ${why}`);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
