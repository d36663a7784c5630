/** inventory.yaml, and the groups in controller.yaml. Their reader is loaded if there is anything to read. */
import { join } from 'node:path';
import type { ControllerConfig } from '../../config/controller-config.ts';
import type { YamlDocument } from '../../config/yaml-document.ts';
import { readYamlDocument } from '../../config/yaml-file.ts';
import { KickError } from '../../errors.ts';
import type { Warning } from './bolt/findings.ts';
import {
  EMPTY_INVENTORY,
  type Group,
  type Inventory,
  type InventoryWarning,
  withGroups,
} from './inventory.ts';

/** Enough for a large site with facts. */
const MAX_BYTES = 64 << 20;
const MAX_ALIASES = 100;

export interface InventoryFiles {
  /** inventory.yaml; it need not exist. */
  path: string;
  /** `groups:` of controller.yaml, as written. */
  groups: unknown;
  /** controller.yaml, for messages. */
  groupsPath: string;
}

/** Throws `KickError` `inventory` with `path:line: key: problem`, one per line. */
export async function readInventoryFiles({ path, groups, groupsPath }: InventoryFiles): Promise<Inventory> {
  const inventory = await readInventoryFile(path);
  if (groups === undefined) return inventory;
  const more = await readControllerGroups(groups, groupsPath);
  const { inventory: both, inBoth } = withGroups(inventory, more.groups);
  if (inBoth.length > 0) {
    throw new KickError('inventory', `read the groups: "${inBoth.join('", "')}" is in both files`, {
      hint: `remove it from ${groupsPath} or from ${path}`,
    });
  }
  return { ...both, warnings: [...both.warnings, ...more.warnings] };
}

async function readInventoryFile(path: string): Promise<Inventory> {
  const document = await readYamlDocument(path, {
    what: 'inventory',
    code: 'inventory',
    maxBytes: MAX_BYTES,
    maxAliases: MAX_ALIASES,
    // Bolt's file means what Ruby reads in it.
    isRuby: true,
  });
  if (document === undefined) return EMPTY_INVENTORY;
  const { readBoltInventory } = await import('./bolt/reader.ts');
  const { inventory, problems, warnings } = readBoltInventory(document.value);
  if (problems.length > 0) throw await document.refuse(problems);
  const oddities = document.oddities.map(
    ({ path: keys, message }): Warning => ({ message, paths: [keys], count: 1, subjects: [], isLoss: false }),
  );
  return { ...inventory, warnings: await withLines(document, [...oddities, ...warnings]) };
}

/** Reads the file again only if there are problems or warnings, to report their lines. */
async function readControllerGroups(
  groups: unknown,
  path: string,
): Promise<{ groups: Group[]; warnings: InventoryWarning[] }> {
  const { readGroups } = await import('./bolt/reader.ts');
  const { problems, warnings, groups: read } = readGroups(groups);
  if (problems.length === 0 && warnings.length === 0) return { groups: read, warnings: [] };
  const document = await readYamlDocument(path, { what: 'groups', code: 'inventory' });
  if (document === undefined) throw new KickError('inventory', `read the groups: "${path}" has vanished`);
  if (problems.length > 0) throw await document.refuse(problems);
  return { groups: read, warnings: await withLines(document, warnings) };
}

async function withLines(document: YamlDocument, warnings: readonly Warning[]): Promise<InventoryWarning[]> {
  if (warnings.length === 0) return [];
  return (await import('./inventory-warnings.ts')).withLines(document, warnings);
}

/** Throws `KickError` `inventory`. */
export function readInventory(configDir: string, { groups }: ControllerConfig): Promise<Inventory> {
  return readInventoryFiles({
    path: join(configDir, 'inventory.yaml'),
    groups,
    groupsPath: join(configDir, 'controller.yaml'),
  });
}
