/** inventory.yaml, and the groups of controller.yaml beside it. */

import type { Warning } from '../controller/bolt-findings.ts';
import { readBoltInventory, readGroups } from '../controller/bolt-inventory.ts';
import {
  EMPTY_INVENTORY,
  type Group,
  type Inventory,
  type InventoryWarning,
  withGroups,
} from '../controller/inventory.ts';
import { KickError } from '../errors.ts';
import { plural } from '../util/text.ts';
import { readYamlDocument, type YamlDocument } from './yaml-file.ts';

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
    ...{ what: 'inventory', code: 'inventory', maxBytes: MAX_BYTES, maxAliases: MAX_ALIASES },
    // Bolt's file is what Bolt makes of it.
    isRuby: true,
  });
  if (document === undefined) return EMPTY_INVENTORY;
  const { inventory, problems, warnings } = readBoltInventory(document.value);
  if (problems.length > 0) throw document.refuse(problems);
  const oddities = document.oddities.map((oddity) => ({ ...oddity, count: 1, subjects: [], isLoss: false }));
  return { ...inventory, warnings: toldWarnings(document, [...oddities, ...warnings]) };
}

/** The file is read once more where something has a line to be told. */
async function readControllerGroups(
  groups: unknown,
  path: string,
): Promise<{ groups: Group[]; warnings: InventoryWarning[] }> {
  const { problems, warnings, groups: read } = readGroups(groups);
  if (problems.length === 0 && warnings.length === 0) return { groups: read, warnings: [] };
  const document = await readYamlDocument(path, { what: 'groups', code: 'inventory' });
  if (document === undefined) throw new KickError('inventory', `read the groups: "${path}" has vanished`);
  if (problems.length > 0) throw document.refuse(problems);
  return { groups: read, warnings: toldWarnings(document, warnings) };
}

function toldWarnings(document: YamlDocument, warnings: readonly Warning[]): InventoryWarning[] {
  if (warnings.length === 0) return [];
  const line = new Map(warnings.map((warning) => [warning, document.lineOf(warning.path)]));
  const sorted = [...warnings].sort((a, b) => (line.get(a) ?? 0) - (line.get(b) ?? 0));
  const texts = document.told(
    sorted.map(({ path, message, count, subjects, isLoss }) => {
      const more = count - subjects.length;
      const named = `: ${subjects.join(', ')}`;
      const places = count > 1 || isLoss ? ` (${plural(count, 'place')})` : '';
      const rest = more > 0 ? ` and ${more} more` : '';
      return { path, message: message + (subjects.length === 0 ? places : named + rest) };
    }),
  );
  return sorted.map(({ isLoss }, index) => ({ text: texts[index] ?? '', isLoss }));
}
