/** Where a host is, as an inventory's `uri` tells it. Whose port it names: bolt-reach.ts. */
import { isIPv6 } from 'node:net';

export interface Address {
  host: string;
  port?: number;
}

export interface Uri extends Address {
  /** In lower case. */
  scheme?: string;
}

/** `host`, `host:port`, `[::1]:port`, `scheme://user@host:port/`. The host may be empty: `local://`. */
const URI =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:[^[\]/]*@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{0,253}))(?::(\d{0,5}))?\/?$/;

/** As Bolt reads it (Bolt::Inventory::Target.parse_uri), less paths and queries; undefined when it is none. */
export function parseUri(text: string): Uri | undefined {
  const match = URI.exec(text);
  if (match === null) return undefined;
  const [, scheme, ipv6, name = '', digits = ''] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6)) return undefined;
  const port = Number(digits);
  if (digits !== '' && (port < 1 || port > 65_535)) return undefined;
  return {
    ...(scheme !== undefined && { scheme: scheme.toLowerCase() }),
    host: ipv6 ?? name,
    ...(digits !== '' && { port }),
  };
}

/** `10.0.0.7:22`, `[::1]:22`. */
export function formatAddress({ host, port }: Address): string {
  const shown = isIPv6(host) ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}

/** A uri as it may be shown: it may hold a password. */
export function withoutUser(uri: string): string {
  return uri.replace(/^([^:/@]*:\/\/)?.*@/s, '$1');
}
