/** The files of a controller: controller.yaml and inventory.yaml. Both may be absent. */
import { join } from 'node:path';
import { type ControllerConfig, ControllerConfigSchema } from '../config/controller-config.ts';
import { readInventoryFiles } from '../config/inventory-file.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import type { Inventory } from '../controller/inventory.ts';

/** Throws `KickError` `config`. */
export async function readControllerConfig(configDir: string): Promise<ControllerConfig> {
  const path = join(configDir, 'controller.yaml');
  const found = await readYamlFile(path, ControllerConfigSchema, { what: 'controller configuration' });
  return found ?? (await import('valibot')).parse(ControllerConfigSchema, {});
}

/** Throws `KickError` `inventory`. */
export function readInventory(configDir: string, { groups }: ControllerConfig): Promise<Inventory> {
  return readInventoryFiles({
    path: join(configDir, 'inventory.yaml'),
    groups,
    groupsPath: join(configDir, 'controller.yaml'),
  });
}
