/** inventory.yaml, and the groups of controller.yaml beside it. */

import { join } from 'node:path';
import type { ControllerConfig } from '../../config/controller-config.ts';
import { readYamlDocument, type YamlDocument } from '../../config/yaml-file.ts';
import { KickError } from '../../errors.ts';
import { plural } from '../../util/text.ts';
import type { Warning } from './bolt/findings.ts';
import { readBoltInventory, readGroups } from './bolt/reader.ts';
import {
  EMPTY_INVENTORY,
  type Group,
  type Inventory,
  type InventoryWarning,
  withGroups,
} from './inventory.ts';

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
  const oddities = document.oddities.map(
    ({ path: keys, message }): Warning => ({ message, paths: [keys], count: 1, subjects: [], isLoss: false }),
  );
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
  const told = warnings.map((warning) => {
    const { message, paths, isLoss } = warning;
    const lines = [...new Set(paths.map((path) => document.lineOf(path)))].sort((a, b) => a - b);
    const problem = { path: [...(paths[0] ?? [])], message: message + placesText(warning, lines) };
    const [text = ''] = document.told([problem]);
    return { line: lines[0] ?? 1, told: { text, isLoss } };
  });
  return told.sort((a, b) => a.line - b.line).map((one) => one.told);
}

/** `: web1, web2 and 7 more (lines 3, 9)`, `(9 places, lines 3, 9)`. */
function placesText({ count, subjects, isLoss }: Warning, lines: readonly number[]): string {
  const more = count > subjects.length ? ` and ${count - subjects.length} more` : '';
  const named = subjects.length === 0 ? '' : `: ${subjects.join(', ')}${more}`;
  const places = subjects.length === 0 && (count > 1 || isLoss) ? [plural(count, 'place')] : [];
  const all = [...places, ...(lines.length > 1 ? [`lines ${lines.join(', ')}`] : [])].join(', ');
  return all === '' ? named : `${named} (${all})`;
}

/** Throws `KickError` `inventory`. */
export function readInventory(configDir: string, { groups }: ControllerConfig): Promise<Inventory> {
  return readInventoryFiles({
    path: join(configDir, 'inventory.yaml'),
    groups,
    groupsPath: join(configDir, 'controller.yaml'),
  });
}
