/** inventory.yaml, and the groups of controller.yaml beside it. */
import { readBoltInventory, readGroups } from '../controller/bolt-inventory.ts';
import { EMPTY_INVENTORY, type Inventory, withGroups } from '../controller/inventory.ts';
import { KickError } from '../errors.ts';
import { readYamlDocument } from './yaml-file.ts';

/** A line a host, and room for its facts. */
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

/** Throws `KickError` `inventory` with `path:line: key: problem`, one a line. */
export async function readInventoryFiles({ path, groups, groupsPath }: InventoryFiles): Promise<Inventory> {
  const inventory = await readInventoryFile(path);
  const more = readGroups(groups);
  if (more.problems.length > 0) {
    const told = more.problems.map(
      ({ path: keys, message }) => `${groupsPath}: ${keys.join('.')}: ${message}`,
    );
    throw new KickError('inventory', `read the groups:\n  ${told.join('\n  ')}`);
  }
  const { inventory: both, inBoth } = withGroups(inventory, more.groups);
  if (inBoth.length > 0) {
    throw new KickError('inventory', `read the groups: "${inBoth.join('", "')}" is in both files`, {
      hint: `remove it from ${groupsPath} or from ${path}`,
    });
  }
  return both;
}

async function readInventoryFile(path: string): Promise<Inventory> {
  const about = {
    what: 'inventory',
    code: 'inventory',
    maxBytes: MAX_BYTES,
    maxAliases: MAX_ALIASES,
  } as const;
  const document = await readYamlDocument(path, about);
  if (document === undefined) return EMPTY_INVENTORY;
  const { inventory, problems } = readBoltInventory(document.value);
  if (problems.length > 0) throw document.refuse(problems);
  return inventory;
}
