/** PuppetDB's query API, version 4, over mutual TLS with the certificates that we have anyway. */
import { KickError } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { type Row, rowsIn } from './answer.ts';
import { exchange, Unreached } from './exchange.ts';

export interface PuppetDbOptions {
  /** `https://puppetdb.example.com:8081`; the next one is asked when one cannot be reached. */
  urls: readonly string[];
  identity(): Promise<Identity>;
  /** Milliseconds for a whole answer; defaults to 60 s. */
  timeoutMs?: number;
  /** Bytes of an answer; defaults to 256 MB. */
  maxBytes?: number;
}

export interface PuppetDb {
  /** The rows of a query (PQL). Throws `KickError` `puppetdb` with PuppetDB's own words where it has any. */
  query(pql: string): Promise<Row[]>;
}

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 256 << 20;

export function openPuppetDb({
  urls,
  identity,
  timeoutMs = TIMEOUT_MS,
  maxBytes = MAX_BYTES,
}: PuppetDbOptions): PuppetDb {
  return {
    async query(pql) {
      const options = { identity, timeoutMs, maxBytes, body: JSON.stringify({ query: pql }) };
      const failures: string[] = [];
      for (const url of urls) {
        try {
          return rowsIn(await exchange(url, options), url);
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
