/** Which hosts are meant, and where each is reached. Nothing is sent but what a condition asks. */
import { hostname } from 'node:os';
import type { ControllerConfig } from '../config/controller-config.ts';
import { KickError } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import { openSources } from './open-sources.ts';
import type { Site } from './site.ts';
import type { Inventory } from './targeting/inventory.ts';
import { readInventory } from './targeting/inventory-files.ts';
import { type Chosen, parseAll, type Selection, selectHosts } from './targeting/selection.ts';
import type { Warn } from './targeting/warn.ts';

export interface ChooseOptions {
  /** One that was just read; defaults to reading it. */
  inventory?: Inventory | undefined;
  /** Whether short names get the controller's domain; defaults to true. */
  fqdn?: boolean | undefined;
  /** Where agents listen; defaults to controller.yaml's. */
  port?: number | undefined;
  /** Milliseconds, of agents that are asked for a condition. */
  connectTimeoutMs?: number | undefined;
  /** Called with what does not stand against the choice, but whoever chose must know. */
  warn?: Warn | undefined;
}

export interface Hosts extends Chosen {
  selection: Selection;
  inventory: Inventory;
  config: ControllerConfig;
}

export async function openInventory({ folders, config }: Site): Promise<Inventory> {
  return readInventory(folders.configDir, await config());
}

/** Throws `KickError` for everything that makes the choice unsafe. */
export async function chooseHosts(site: Site, selection: Selection, options: ChooseOptions): Promise<Hosts> {
  const { fqdn = true, port, connectTimeoutMs, warn = () => {} } = options;
  const config = await site.config();
  const inventory = options.inventory ?? (await openInventory(site));
  // First what needs no certificate, so that a typing error is reported to whoever may not read the key.
  parseAll(selection);
  const domain = fqdn ? (config.domain ?? (await ownDomain(site.identity))) : undefined;
  const chosen = await selectHosts(selection, {
    inventory,
    domain,
    sources: await openSources({ ...site, config, connectTimeoutMs, warn }),
    port: port ?? config.port,
    addressFrom: config.address_from?.split('.').slice(1),
    warn,
  });
  return { ...chosen, selection, inventory, config };
}

/** That of our certname; where there is no certificate that we may read, the host's. */
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
