/** `kick serve` for a site on loopback, and a client of its API that checks its certificate. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterwards } from '../support/afterwards.ts';
import { kickNow } from '../support/kick.ts';
import { SITE_CONTROLLER, type Site } from '../support/real-site.ts';

export interface Reply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
  /** Undefined: it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json: any;
}

export interface AskOptions {
  method?: string;
  body?: unknown;
  /** A raw body. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
  /** A client certificate. */
  pair?: Pair;
}

export interface Pair {
  cert: Buffer;
  key: Buffer;
}

export interface WebServer {
  readonly child: ChildProcess;
  readonly port: number;
  /** Asks below /api/v1, or a path that begins with `/`. */
  ask(path: string, options?: AskOptions): Promise<Reply>;
  /** Options for a request of one's own. */
  options(path: string, options?: AskOptions): RequestOptions;
}

export const PASSWORD = 'correct horse battery';

export function addUser(site: Pick<Site, 'env'>, name: string, ...more: string[]): void {
  const { code, err } = kickNow(['user', 'add', name, ...more], { env: site.env, input: `${PASSWORD}\n` });
  if (code !== 0) throw new Error(err);
}

/** Killed when the test has finished. */
export async function startServer(site: Pick<Site, 'env' | 'start'>, { port = 0 } = {}): Promise<WebServer> {
  const child = site.start('serve', '--port', String(port), '--bind', '127.0.0.1');
  afterwards(() => child.kill('SIGKILL'));
  const actual = await portOf(child);
  const ca = readFileSync(join(site.env['KICK_PKI_DIR'] ?? '', 'certs', 'ca.pem'));
  const options = (path: string, { method, body, headers, pair }: AskOptions = {}): RequestOptions => ({
    host: '127.0.0.1',
    port: actual,
    path: path.startsWith('/') ? path : `/api/v1/${path}`,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    servername: site.env['KICK_CERTNAME'] ?? SITE_CONTROLLER,
    ca,
    agent: false,
    ...pair,
    headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
  });
  return {
    child,
    port: actual,
    options,
    ask: (path, asked = {}) => send(options(path, asked), asked.raw ?? asJson(asked.body)),
  };
}

const asJson = (body: unknown) => (body === undefined ? undefined : JSON.stringify(body));

async function send(options: RequestOptions, body: string | Buffer | undefined): Promise<Reply> {
  const asking = request(options);
  asking.end(body);
  const [response] = await once(asking, 'response');
  const all = await text(response);
  return { status: response.statusCode, headers: response.headers, text: all, json: jsonOf(all) };
}

function jsonOf(all: string): unknown {
  try {
    return JSON.parse(all);
  } catch {
    return undefined;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  let errors = '';
  child.stderr.on('data', (data) => (errors += data));
  for await (const line of createInterface(child.stdout)) {
    const { msg, port } = JSON.parse(line);
    if (msg !== 'serving') continue;
    child.stdout.resume();
    return port;
  }
  throw new Error(`the server did not start: ${errors}`);
}

/** The serial number of the certificate that a browser would see. */
export function shownBy(server: WebServer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { host, port, servername } = server.options('/');
    const socket = connect({ host: host ?? '', port: Number(port), servername, rejectUnauthorized: false });
    socket.once('error', reject).once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
  });
}

/** Signs in; what it returns goes into the headers of later requests. */
export async function signIn(server: WebServer, name: string): Promise<Record<string, string>> {
  const { status, headers, text: said } = await server.ask('session', { body: { name, password: PASSWORD } });
  if (status !== 200) throw new Error(said);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return { Cookie: cookie.split(';')[0] ?? '' };
}

/** Waits until a job is over; returns it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
export async function jobDone(server: WebServer, job: string, headers: Record<string, string>): Promise<any> {
  for (;;) {
    const { status, json, text: said } = await server.ask(`jobs/${job}`, { headers });
    if (status !== 200) throw new Error(said);
    if (json.state !== 'running') return json;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
