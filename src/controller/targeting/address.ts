/** Where a host is, from an inventory's `uri`. Whose port that names: bolt/reach.ts. */
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

/** In a uri with a scheme, anything after the host is ignored: `https://host/path?query`. */
const BEHIND_HOST = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*)[/?#].*$/s;

/** Parses as Bolt does (Bolt::Inventory::Target.parse_uri), but a path needs a scheme; undefined if it is no uri. */
export function parseUri(text: string): Uri | undefined {
  const match = URI.exec(text.replace(BEHIND_HOST, '$1'));
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

/** A uri that is safe to show: the user part may hold a password. */
export function withoutUser(uri: string): string {
  return uri.replace(/^([^:/@]*:\/\/)?.*@/s, '$1');
}
