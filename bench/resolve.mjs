// Run by controller.ts as a separate process: the cost of resolving, from the file to the folded result.

import { foldNames } from '../dist/conditions/nodeset/fold.js';
import { readInventoryFiles } from '../dist/config/inventory-file.js';
import { selectHosts } from '../dist/controller/selection.js';

const [path, text] = process.argv.slice(2);
const from = performance.now();
const inventory = await readInventoryFiles({ path, groups: undefined, groupsPath: '' });
const read = performance.now();
const nothing = { exclude: [], all: false, queries: [], facts: [], classes: [], last: [] };
const { targets } = await selectHosts(
  { ...nothing, named: [{ text, origin: 'bench' }], olderThanMs: 0, seed: '', includeMaintenance: false },
  { inventory, sources: {}, port: 8139 },
);
const folded = foldNames(targets.map(({ certname }) => certname));
const ms = performance.now() - from;
const readMs = read - from;
console.log(
  JSON.stringify({ ms, readMs, count: targets.length, folded, mb: process.resourceUsage().maxRSS / 1024 }),
);
