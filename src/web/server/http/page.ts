/**
 * The page's files as `npm run build` made them, read once: an address either is one of them or it is none, so no path can
 * lead out of their folder. Names of assets hold their hash and may be kept for good; any other address of the page is the
 * page itself, which finds its way by the address.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Express, NextFunction, Request, Response } from 'express';

/** Beside this program, where the build has put it. */
export const PAGE_DIR = join(import.meta.dirname, '..', '..', 'app');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const FOR_GOOD = 'public, max-age=31536000, immutable';
const INDEX = '/index.html';

/** What the server itself answers: the page has no part in it. */
const NOT_THE_PAGE = /^\/(api|assets|auth|healthz|metrics|hooks)(\/|$)/;

const PART_BYTES = 16 << 10;

interface PageFile {
  type: string;
  bytes: Buffer;
  gzipped?: Buffer;
}

/** Without a page in `dir` there is the API only. */
export function mountPage(app: Express, dir: string): void {
  const files = readPage(dir);
  const index = files.get(INDEX);
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const file = files.get(request.path) ?? (NOT_THE_PAGE.test(request.path) ? undefined : index);
    if (file === undefined) return next();
    response.set({
      'Content-Type': file.type,
      'Cache-Control': request.path.startsWith('/assets/') ? FOR_GOOD : 'no-store',
      Vary: 'Accept-Encoding',
    });
    send(inEncoding(file, request, response), response);
  });
}

/** In parts, as they are read: of what strangers ask for and leave unread, little is in memory. */
function send(bytes: Buffer, response: Response): void {
  response.setHeader('Content-Length', bytes.length);
  pipeline(Readable.from(partsOf(bytes), { objectMode: false }), response, () => {});
}

function* partsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}

function inEncoding(file: PageFile, request: Request, response: Response): Buffer {
  if (request.acceptsEncodings('gzip') !== 'gzip') return file.bytes;
  file.gzipped ??= gzipSync(file.bytes);
  response.set('Content-Encoding', 'gzip');
  return file.gzipped;
}

function readPage(dir: string): Map<string, PageFile> {
  if (!existsSync(dir)) return new Map();
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name): [string, PageFile][] => {
      const type = TYPES[extname(name)];
      return type === undefined ? [] : [[`/${name}`, { type, bytes: readFileSync(join(dir, name)) }]];
    }),
  );
}
