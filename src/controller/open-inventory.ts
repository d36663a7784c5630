/** The inventory of a site. Apart from the choice of hosts, since completion needs nothing else. */
import type { Site } from './site.ts';
import type { Inventory } from './targeting/inventory.ts';
import { readInventory } from './targeting/inventory-files.ts';

/** Throws `KickError` `inventory`. */
export async function openInventory({
  folders,
  config,
}: Pick<Site, 'folders' | 'config'>): Promise<Inventory> {
  return readInventory(folders.configDir, await config());
}
