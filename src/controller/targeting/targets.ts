/** Where to reach the agents of hosts. */

import type { FactPath } from '../../conditions/fact-condition.ts';
import type { NarrowableScope } from '../../conditions/nodeset/evaluate.ts';
import type { Way } from '../../protocol/names.ts';
import type { Target } from '../../transport/transport.ts';
import type { HostSources } from './host-sources.ts';
import { ALL, type Group, type Inventory } from './inventory.ts';
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
  /** How members of groups are reached whom a group's sources name, of these hosts. */
  viaOfGroups?: ((certnames: readonly string[]) => Promise<ReadonlyMap<string, Way>>) | undefined;
  /** Whether an agent has answered through the broker: then it is reached there, unless the inventory says how. */
  isHere?: ((certname: string) => boolean) | undefined;
  /** The fact that holds the address of hosts without one in the inventory. */
  addressFrom?: FactPath | undefined;
  warn: Warn;
}

/** The inventory's address, else that of a fact, else the certname. */
export async function targetsOf(certnames: readonly string[], context: SelectionContext): Promise<Target[]> {
  const { inventory, port, addressFrom, sources, via, isHere } = context;
  const ofGroups = via === undefined ? await context.viaOfGroups?.(certnames) : undefined;
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
          ofGroups?.get(certname) ??
          inventory.via ??
          (isHere?.(certname) === true ? 'nats' : undefined),
      ),
    };
  });
}

/** Undefined if no group says so. A group inside another counts before it, and the earlier of two, as for what is listed. */
export function viaOfGroups({ groups }: Inventory, scope: NarrowableScope): SelectionContext['viaOfGroups'] {
  const saying = weakestFirst(groups).filter((one) => one.via !== undefined && hasSources(one, groups));
  if (saying.length === 0) return undefined;
  return async (certnames) => {
    const narrowed = scope.over(new Set(certnames));
    const found = new Map<string, Way>();
    for (const { name, via } of saying)
      for (const certname of await narrowed.group(name)) if (via !== undefined) found.set(certname, via);
    return found;
  };
}

function weakestFirst(groups: Inventory['groups']): Group[] {
  const order = new Set<Group>();
  const visit = (name: string): void => {
    const group = groups.get(name);
    if (group === undefined || order.has(group)) return;
    order.add(group);
    for (const child of [...group.children].reverse()) visit(child);
  };
  visit(ALL);
  return [...order];
}

/** Hosts that groups only list have it themselves. */
function hasSources(group: Group, groups: Inventory['groups']): boolean {
  const seen = new Set([group.name]);
  for (const name of seen) {
    const { sources = [], children = [] } = groups.get(name) ?? {};
    if (sources.length > 0) return true;
    for (const child of children) seen.add(child);
  }
  return false;
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
