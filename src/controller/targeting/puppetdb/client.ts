/** PuppetDB's query API, version 4, over mutual TLS with the certificates that we have anyway. */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { tlsMaterial } from '../../../pki/tls-material.ts';
import { httpRequest } from '../../../util/node-http.ts';
import { clip, safeText } from '../../../util/text.ts';

export interface PuppetDbOptions {
  /** `https://puppetdb.example.com:8081`; the next one is asked when one cannot be reached. */
  urls: readonly string[];
  identity(): Promise<Identity>;
  /** Milliseconds for a whole answer; 60 s unless told. */
  timeoutMs?: number;
  /** Bytes of an answer; 256 MB unless told. */
  maxBytes?: number;
}

export type Row = Readonly<Record<string, unknown>>;

export interface PuppetDb {
  /** The rows of a query (PQL). Throws `KickError` `puppetdb` with PuppetDB's own words where it has any. */
  query(pql: string): Promise<Row[]>;
}

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 256 << 20;
const MAX_ERROR = 4096;

/** That this one cannot be reached; another one may be. */
class Unreached extends Error {}

export function openPuppetDb({
  urls,
  identity,
  timeoutMs = TIMEOUT_MS,
  maxBytes = MAX_BYTES,
}: PuppetDbOptions): PuppetDb {
  async function ask(url: string, pql: string): Promise<Row[]> {
    const { status, text } = await post(url, JSON.stringify({ query: pql }));
    if (status !== 200) throw refused(url, status, text);
    return rowsOf(url, text);
  }

  async function post(url: string, body: string): Promise<{ status: number; text: string }> {
    const target = new URL('/pdb/query/v4', url);
    const isPlain = target.protocol === 'http:';
    if (isPlain && !isLoopback(target.hostname)) {
      throw problem(url, 'it is neither https nor on this machine');
    }
    const tls = isPlain ? {} : { ...tlsMaterial(await identity()), minVersion: 'TLSv1.2' as const };
    return new Promise((resolve, reject) => {
      const sent = (isPlain ? httpRequest : httpsRequest)(target, {
        ...tls,
        method: 'POST',
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      sent.once('error', (error) => reject(unreached(url, error)));
      sent.once('response', (response) => {
        readAll(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          (error: unknown) => reject(error instanceof KickError ? error : unreached(url, error)),
        );
      });
      sent.end(body);
    });

    async function readAll(response: IncomingMessage): Promise<string> {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw problem(url, `its answer is larger than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    }
  }

  function unreached(url: string, error: unknown): Unreached {
    const isLate = error instanceof Error && error.name === 'AbortError';
    const why = isLate ? `no answer within ${timeoutMs / 1000} s` : connectionWords(error);
    return new Unreached(`${url}: ${why}`);
  }

  return {
    async query(pql) {
      const failures: string[] = [];
      for (const url of urls) {
        try {
          return await ask(url, pql);
        } catch (error) {
          if (!(error instanceof Unreached)) throw error;
          failures.push(error.message);
        }
      }
      throw new KickError('puppetdb', `ask PuppetDB: ${failures.join('; ')}`, {
        hint: 'is it running? its URL: puppetdb: {urls: [...]} in controller.yaml, else server_urls of puppetdb.conf',
      });
    },
  };
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

function problem(url: string, why: string): KickError {
  return new KickError('puppetdb', `ask PuppetDB at ${url}: ${why}`);
}

/** PuppetDB's own words, whole: a PQL error shows its place in lines of its own. */
function refused(url: string, status: number, text: string): KickError {
  const words = clip(text.trim(), MAX_ERROR).split('\n').map(safeText).join('\n  ');
  const hints: Record<number, string> = {
    400: 'the query (PQL) is not one that it can answer',
    403: "its certificate-allowlist and auth.conf do not know this controller's certname",
    404: 'is this the URL of PuppetDB?',
    503: 'it is starting; try again in a minute',
  };
  const hint = hints[status];
  return new KickError('puppetdb', `ask PuppetDB at ${url}: it answered ${status}:\n  ${words}`, {
    ...(hint !== undefined && { hint }),
  });
}

function rowsOf(url: string, text: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem(url, 'its answer is not JSON');
  }
  if (!Array.isArray(value) || !value.every((row) => typeof row === 'object' && row !== null)) {
    throw problem(url, 'its answer is not a list of rows');
  }
  return value as Row[];
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
