/** A helper (DESIGN 14) in this process, and a listener in front of it that says whatever it likes. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { ownVerdict } from '../../src/agent/admission/own-verdict.ts';
import type { Agent } from '../../src/agent/agent.ts';
import { boundedService } from '../../src/cli/agent/bounded-service.ts';
import type { Trust } from '../../src/pki/identity.ts';
import { type ServeOptions, serveListener } from '../../src/transport/https/helper/serve.ts';
import type { ListenerLimits } from '../../src/transport/https/limits.ts';
import type { AgentService, LocalListener } from '../../src/transport/transport.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { afterwards } from './afterwards.ts';

/** The helper's entrance of an agent, as `kick agent --take-from` has it; returns its socket. */
export async function helperOf(agent: Agent, trust: Trust, folder: string): Promise<string> {
  agent.setVerify(ownVerdict(trust, systemClock));
  return (await serveHere(boundedService(agent, 8), folder)).path;
}

export async function serveHere(
  service: AgentService,
  folder: string,
  { judge, ...limits }: Partial<ListenerLimits> & Pick<ServeOptions, 'judge'> = {},
): Promise<{ path: string; listener: LocalListener }> {
  const path = join(folder, 'helper.sock');
  const listener = await serveListener(service, {
    path,
    log: silentLog,
    judge,
    limits: { closeMs: 100, ...limits },
  });
  afterwards(() => listener.close());
  return { path, listener };
}

export interface Said {
  method?: string;
  url: string;
  /** Who is said to ask, DER. */
  certificate?: Uint8Array | undefined;
  body?: Uint8Array;
  headers?: Record<string, string>;
}

/** A request as an honest listener writes it, but for what is said. */
export function spoken({
  url,
  certificate,
  body,
  method = body ? 'POST' : 'GET',
  headers = {},
}: Said): Buffer {
  const all: Record<string, string> = {
    host: 'helper',
    ...(certificate !== undefined && { 'kick-peer': Buffer.from(certificate).toString('base64') }),
    'kick-address': '192.0.2.1',
    ...(body !== undefined && { 'content-type': 'application/jose+json' }),
    'content-length': String(body?.byteLength ?? 0),
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${url} HTTP/1.1\r\n${head.join('')}\r\n`),
    body ?? Buffer.alloc(0),
  ]);
}

export interface HeardHere {
  /** 0: cut off without an answer. */
  status: number;
  /** Everything that was said. */
  text: string;
  /** The code of a refusal. */
  code: string | undefined;
}

/** Says bytes to the helper, and listens until it closes the connection. */
export function sayTo(path: string, bytes: Uint8Array | string): Promise<HeardHere> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      resolve({ status, text, code: /\{"code":"([a-z-]+)"/.exec(text)?.[1] });
    });
  });
}

export const ask = (path: string, said: Said): Promise<HeardHere> => sayTo(path, spoken(said));
