/** Which hosts are meant, and where to reach each. Sends nothing but what a condition needs. */
import { hostname } from 'node:os';
import type { ControllerConfig } from '../config/controller-config.ts';
import { noBroker } from '../config/nats-config.ts';
import { KickError } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import type { Way } from '../protocol/names.ts';
import { openInventory } from './open-inventory.ts';
import { openSources } from './open-sources.ts';
import type { Site } from './site.ts';
import type { Inventory } from './targeting/inventory.ts';
import { type Chosen, parseAll, type Selection, selectHosts } from './targeting/selection.ts';
import type { Warn } from './targeting/warn.ts';

export interface ChooseOptions {
  /** One already read; defaults to reading it. */
  inventory?: Inventory | undefined;
  /** Whether short names get the controller's domain; defaults to true. */
  fqdn?: boolean | undefined;
  /** Where agents listen; defaults to controller.yaml's. */
  port?: number | undefined;
  /** How every host is reached; defaults to what the inventory says. */
  via?: Way | undefined;
  /** Milliseconds; for agents that a condition needs an answer from. */
  connectTimeoutMs?: number | undefined;
  /** Called with problems that do not prevent the choice, but that the caller must know. */
  warn?: Warn | undefined;
}

export interface Hosts extends Chosen {
  selection: Selection;
  inventory: Inventory;
  config: ControllerConfig;
}

/** Throws `KickError` for anything that makes the choice unsafe. */
export async function chooseHosts(site: Site, selection: Selection, options: ChooseOptions): Promise<Hosts> {
  const { fqdn = true, port, via, connectTimeoutMs, warn = () => {} } = options;
  const config = await site.config();
  if (via === 'nats' && config.nats === undefined) throw noBroker('reach hosts through NATS');
  const inventory = options.inventory ?? (await openInventory(site));
  // Parsed before a certificate is needed, so that users who may not read the key see their typos, too.
  parseAll(selection);
  const domain = fqdn ? (config.domain ?? (await ownDomain(site.identity))) : undefined;
  const chosen = await selectHosts(selection, {
    inventory,
    domain,
    sources: await openSources({ ...site, config, connectTimeoutMs, warn }),
    port: port ?? config.port,
    via,
    addressFrom: config.address_from?.split('.').slice(1),
    warn,
  });
  return { ...chosen, selection, inventory, config };
}

/** The domain of our certname; where we may read no certificate, that of the host name. */
async function ownDomain(identity: () => Promise<Identity>): Promise<string | undefined> {
  try {
    const { certname } = await identity();
    return domainOf(certname) ?? domainOf(hostname());
  } catch (error) {
    if (error instanceof KickError) return domainOf(hostname());
    throw error;
  }
}

function domainOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : undefined;
}
