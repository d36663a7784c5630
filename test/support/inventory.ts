/** An inventory.yaml that is read as the program reads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Inventory } from '../../src/controller/targeting/inventory.ts';
import { readInventoryFiles } from '../../src/controller/targeting/inventory-files.ts';
import { tempFolder } from './temp.ts';

/** `groups`: those of controller.yaml. */
export async function inventoryOf(yaml: string, groups?: object): Promise<Inventory> {
  const folder = tempFolder();
  const [path, groupsPath] = [join(folder, 'inventory.yaml'), join(folder, 'controller.yaml')];
  writeFileSync(path, yaml);
  if (groups !== undefined) writeFileSync(groupsPath, JSON.stringify({ groups }));
  return readInventoryFiles({ path, groups, groupsPath });
}

/** Each as `line: path: what`. */
export async function warningsOf(yaml: string): Promise<string[]> {
  const { warnings } = await inventoryOf(yaml);
  return warnings.map(({ text }) => text.replace(/^.*?inventory\.yaml:/, ''));
}
