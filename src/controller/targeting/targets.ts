/** Where to reach the agents of hosts. */

import type { FactPath } from '../../conditions/fact-condition.ts';
import type { Way } from '../../protocol/names.ts';
import type { Target } from '../../transport/transport.ts';
import type { HostSources } from './host-sources.ts';
import type { Inventory } from './inventory.ts';
import type { Warn } from './warn.ts';

export interface SelectionContext {
  inventory: Inventory;
  sources: HostSources;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  /** Where agents listen; the inventory may override it. */
  port: number;
  /** How every host is reached, whatever the inventory says: `--via`. */
  via?: Way | undefined;
  /** Whether an agent has answered through the broker: then it is reached there, unless the inventory says how. */
  isHere?: ((certname: string) => boolean) | undefined;
  /** The fact that holds the address of hosts without one in the inventory. */
  addressFrom?: FactPath | undefined;
  warn: Warn;
}

/** The inventory's address, else that of a fact, else the certname. */
export async function targetsOf(certnames: readonly string[], context: SelectionContext): Promise<Target[]> {
  const { inventory, port, addressFrom, sources, via, isHere } = context;
  let found: ReadonlyMap<string, readonly unknown[]> | undefined;
  if (addressFrom !== undefined && sources.database !== undefined) {
    const unknown = certnames.filter((certname) => inventory.hosts.get(certname)?.address === undefined);
    if (unknown.length > 0) found = await sources.database.factValues([addressFrom], unknown);
  }
  return certnames.map((certname) => {
    const address = inventory.hosts.get(certname)?.address;
    const [fact] = found?.get(certname) ?? [];
    return {
      certname,
      host: address?.host ?? (typeof fact === 'string' && fact !== '' ? fact : certname),
      port: address?.port ?? port,
      ...viaOf(
        via ??
          inventory.hosts.get(certname)?.via ??
          inventory.via ??
          (isHere?.(certname) === true ? 'nats' : undefined),
      ),
    };
  });
}

/** `direct` is what a target without `via` means, also to older versions that read a job. */
function viaOf(via: Way | undefined): { via?: Way } {
  return via === undefined || via === 'direct' ? {} : { via };
}

export interface ReachText {
  inventory: Inventory;
  /** Where the port comes from if the inventory names none: `--port`. */
  portFrom: string;
}

/** Where a host's agent is expected, and where its port comes from. */
export function reachText(target: Target, options: ReachText): string {
  const { via } = target;
  if (via === 'nats') return 'through NATS';
  return `${portText(target, options)}${via === 'auto' ? ', else through NATS' : ''}`;
}

function portText({ certname, host, port }: Target, { inventory, portFrom }: ReachText): string {
  const known = inventory.hosts.get(certname);
  const at = host === certname ? '' : `at ${host}, `;
  if (known?.address?.port !== undefined) return `${at}port ${port}: from its uri`;
  const other =
    known?.otherPort === undefined ? '' : ` (${known.otherPort}; kick's is written kick://host:port)`;
  return `${at}port ${port}: ${portFrom}${other}`;
}
