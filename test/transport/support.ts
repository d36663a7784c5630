/** An agent without an agent: the listener with a service that the test scripts, and a rude client. */
import { connect as connectTcp, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import type { AgentStatus } from '../../src/protocol/status.ts';
import { type HttpsSenderOptions, httpsSender } from '../../src/transport/https/client/client.ts';
import type { ListenerLimits } from '../../src/transport/https/limits.ts';
import { type HttpsListener, listenHttps } from '../../src/transport/https/listener/listener.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import type { AgentService, SendError, Sender, Target } from '../../src/transport/transport.ts';
import type { Log } from '../../src/util/log.ts';
import { listenOn } from '../../tools/loopback.ts';

export const JOB = '01890a5d-ac96-774b-bcce-b302099a8057';

export const STATUS: AgentStatus = {
  certname: 'agent.example.com',
  version: '0.1.0',
  runner: 'command',
  time: 1,
  uptime: 2,
  waiting: 0,
};

export function accepted(seq = 1): StoredEvent {
  return { seq, at: 1000, type: 'accepted', version: '0.1.0' };
}

export interface CapturedLog extends Log {
  readonly lines: { level: string; message: string; fields: Record<string, unknown> }[];
}

export function captureLog(): CapturedLog {
  const lines: CapturedLog['lines'] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface RunningAgent {
  listener: HttpsListener;
  target: Target;
  log: CapturedLog;
  /** The names of the service's methods as they were called. */
  calls: string[];
}

const NO_SERVICE: AgentService = {
  submit: async () => async function* () {},
  events: async () => async function* () {},
  status: async () => STATUS,
  command: async () => ({ result: 'done', message: 'done' }),
  isController: () => true,
  greet: async () => {},
};

/** Nothing is cut off but what a test is about, however busy the machine is. */
const PATIENT: Partial<ListenerLimits> = {
  handshakeMs: 600_000,
  headersMs: 600_000,
  requestMs: 600_000,
  closeMs: 100,
};

export interface AgentOptions {
  service?: Partial<AgentService>;
  limits?: Partial<ListenerLimits>;
  /** Undefined: none. Defaults to any. */
  port?: number | undefined;
}

/** A listener on loopback, closed when the test has finished. */
export async function startAgent(
  identity: Identity,
  { service = {}, limits = {}, ...options }: AgentOptions = {},
): Promise<RunningAgent> {
  const log = captureLog();
  const calls: string[] = [];
  const whole = { ...NO_SERVICE, ...service };
  const note = <A extends unknown[], R>(name: string, method: (...args: A) => R) => {
    return (...args: A): R => {
      calls.push(name);
      return method(...args);
    };
  };
  const noted: AgentService = {
    submit: note('submit', whole.submit),
    events: note('events', whole.events),
    status: note('status', whole.status),
    command: note('command', whole.command),
    isController: whole.isController,
    greet: whole.greet,
  };
  const listener = await listenHttps(noted, {
    identity,
    port: 'port' in options ? options.port : 0,
    bind: '127.0.0.1',
    log,
    limits: { ...PATIENT, ...limits },
  });
  onTestFinished(() => listener.close());
  return { listener, log, calls, target: targetAt(listener.port, identity.certname) };
}

export function targetAt(port: number, certname = 'agent.example.com'): Target {
  return { certname, host: '127.0.0.1', port };
}

export function startSender(identity: Identity, options: Partial<HttpsSenderOptions> = {}): Sender {
  const sender = httpsSender({ identity, ...options });
  onTestFinished(() => sender.close());
  return sender;
}

export const anySignal = (): AbortSignal => new AbortController().signal;

/** What a promise or a stream fails with. */
export async function failureOf(work: Promise<unknown>): Promise<SendError> {
  try {
    const result = await work;
    if (result !== null && typeof result === 'object' && Symbol.asyncIterator in result) {
      for await (const _ of result as AsyncIterable<unknown>);
    }
  } catch (error) {
    return error as SendError;
  }
  throw new Error('it did not fail');
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

export interface Rudeness {
  /** Sent after the handshake, piece by piece. */
  say?: string | string[];
  /** Milliseconds between the pieces. */
  every?: number;
  /** Said after the pieces, once it comes. */
  later?: Promise<string>;
  /** Called when the handshake is done here. */
  onSecure?: () => void;
  identity?: Identity;
  tls?: ConnectionOptions;
}

export interface Heard {
  /** Everything the agent said. */
  text: string;
  /** The first line's status. */
  status: number | undefined;
  error: string | undefined;
}

/** Speaks TLS to an agent without caring who it is, until the connection is closed. */
export function speak(
  port: number,
  { say = [], every = 20, later, onSecure, identity, tls }: Rudeness,
): Promise<Heard> {
  return new Promise((resolve) => {
    const own = identity === undefined ? {} : tlsOptions(identity);
    const socket = connect({ port, host: '127.0.0.1', ...own, rejectUnauthorized: false, ...tls });
    let text = '';
    let error: string | undefined;
    const pieces = typeof say === 'string' ? [say] : [...say];
    const next = () => {
      const piece = pieces.shift();
      if (piece === undefined || socket.destroyed) return;
      socket.write(piece);
      setTimeout(next, every);
    };
    socket.on('secureConnect', () => {
      next();
      void later?.then((piece) => !socket.destroyed && socket.write(piece));
      onSecure?.();
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', (e: NodeJS.ErrnoException) => {
      error ??= e.code ?? e.message;
    });
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ text, error, status: status === undefined ? undefined : Number(status) });
    });
  });
}

/** Resolves when a bare TCP connection is closed by the other end; says what was heard. */
export function knock(
  port: number,
  { localAddress = '127.0.0.1', say = [] as Uint8Array[], every = 20 } = {},
): { socket: Socket; closed: Promise<string> } {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.on('error', () => {});
  const pieces = [...say];
  const next = () => {
    const piece = pieces.shift();
    if (piece === undefined || socket.destroyed) return;
    socket.write(piece);
    setTimeout(next, every);
  };
  socket.on('connect', next);
  onTestFinished(() => void socket.destroy());
  return { socket, closed: new Promise((resolve) => socket.on('close', () => resolve(text))) };
}

/** The port of a server on loopback that is closed, with its connections, when the test has finished. */
export async function serveUntilFinished(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listenOn(server);
}

export function head(first: string, headers: Record<string, string | number> = {}): string {
  const all: Record<string, string | number> = { host: 'agent', ...headers };
  return `${first} HTTP/1.1\r\n${Object.entries(all)
    .map(([k, v]) => `${k}: ${v}\r\n`)
    .join('')}\r\n`;
}

export function post(
  path: string,
  { body = '', ...headers }: { body?: string } & Record<string, string | number> = {},
): string {
  const length = Buffer.byteLength(body);
  return (
    head(`POST ${path}`, { 'content-type': 'application/jose+json', 'content-length': length, ...headers }) +
    body
  );
}
