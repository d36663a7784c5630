/** Where the agents of hosts are reached. */
import type { Target } from '../transport/transport.ts';
import type { FactCondition } from './fact-condition.ts';
import type { HostSources } from './host-sources.ts';
import type { Inventory } from './inventory.ts';

export interface SelectionContext {
  inventory: Inventory;
  sources: HostSources;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  /** Where agents listen, unless the inventory says otherwise. */
  port: number;
  /** The fact that is the address of hosts for which the inventory has none. */
  addressFrom?: FactCondition['path'] | undefined;
}

/** The inventory's address, else the one that a fact tells, else the certname. */
export async function targetsOf(certnames: readonly string[], context: SelectionContext): Promise<Target[]> {
  const { inventory, port, addressFrom, sources } = context;
  let found: ReadonlyMap<string, string> | undefined;
  if (addressFrom !== undefined && sources.database !== undefined) {
    const unknown = certnames.filter((certname) => inventory.hosts.get(certname)?.address === undefined);
    if (unknown.length > 0) found = await sources.database.factOf(addressFrom, unknown);
  }
  return certnames.map((certname) => {
    const address = inventory.hosts.get(certname)?.address;
    return {
      certname,
      host: address?.host ?? found?.get(certname) ?? certname,
      port: address?.port ?? port,
    };
  });
}
