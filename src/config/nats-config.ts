/** `nats:` of agent.yaml and controller.yaml: the brokers through which hosts are reached. */
import { isIP } from 'node:net';
import * as v from 'valibot';
import { KickError } from '../errors.ts';
import { longText } from '../util/bounds.ts';
import { safeText } from '../util/text.ts';

export const DEFAULT_NATS_PORT = 4222;

const ServerSchema = v.pipe(
  longText,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const server = parseServer(dataset.value);
    if (server !== undefined) return server;
    addIssue({
      message: `"${safeText(shortened(dataset.value))}" is not a server like tls://nats1.example.com:4222`,
    });
    return NEVER;
  }),
);

export const NatsConfigSchema = v.pipe(
  v.strictObject({
    /** Tried in random order. */
    servers: v.pipe(
      v.array(ServerSchema),
      v.minLength(1, 'name at least one server'),
      v.maxLength(32, 'more than 32 servers'),
    ),
    /** Only brokers on this machine may do without. */
    tls: v.optional(v.boolean(), true),
  }),
  v.forward(
    v.check(
      ({ tls, servers }) => tls || servers.every(isLoopback),
      'false is only possible on loopback addresses',
    ),
    ['tls'],
  ),
);

/** What to write, for hints. */
export const NATS_EXAMPLE = 'nats: {servers: [tls://nats1.example.com:4222]}';

/** `doing`: what needs brokers, of which controller.yaml names none. */
export function noBroker(doing: string): KickError {
  return new KickError('config', `${doing}: controller.yaml names no servers`, { hint: NATS_EXAMPLE });
}

export type NatsConfig = v.InferOutput<typeof NatsConfigSchema>;

const shortened = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** `host:port`, or undefined if the text is none: `tls://nats1:4222`, `nats1`, `[::1]:4222`. */
function parseServer(text: string): string | undefined {
  const match =
    /^(?:(?:tls|nats):\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::(\d{1,5}))?\/?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, host = '', digits = String(DEFAULT_NATS_PORT)] = match;
  if (host.startsWith('[') && isIP(host.slice(1, -1)) !== 6) return undefined;
  if (host.includes('..') || (/^[\d.]+$/.test(host) && isIP(host) !== 4)) return undefined;
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? `${host.toLowerCase()}:${port}` : undefined;
}

function isLoopback(server: string): boolean {
  const host = server.slice(0, server.lastIndexOf(':'));
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
