/** Where a host's agent listens, as an inventory's `uri` tells it. */
export interface Address {
  host: string;
  port?: number;
}

/** Schemes whose port is kick's; that of `ssh://web1:2222` is another program's. */
const OWN_SCHEMES: readonly (string | undefined)[] = [undefined, 'kick', 'https'];

/** What Bolt reaches without a network: nothing that has an agent of ours. */
const NOT_HOSTS: readonly (string | undefined)[] = ['docker', 'podman', 'lxd', 'jail', 'local', 'remote'];

/**
 * `host`, `host:port`, `[::1]:port`, `scheme://user@host:port`. `not-a-host` for what is no machine
 * in the network (`docker://web`); undefined when it is none of them.
 */
export function parseAddress(text: string): Address | 'not-a-host' | undefined {
  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/.exec(text) ?? [];
  if (NOT_HOSTS.includes(scheme)) return 'not-a-host';
  const match = /^(?:[^@/]*@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?\/?$/.exec(rest);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host, ...(port !== undefined && OWN_SCHEMES.includes(scheme) && { port }) };
}
