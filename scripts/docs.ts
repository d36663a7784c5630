/**
 * Writes the tables in README.md and docs/ that come from the code, each between `<!-- table: NAME -->` and `<!-- end -->`:
 *
 *     npm run docs        writes them again
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOLDER_OPTIONS } from '../src/cli/options/folders.ts';
import { agentKeys, controllerKeys, type DescribedKey, inventoryKeys } from '../src/config/keys.ts';
import { EXIT_CODES, OUTCOMES } from '../src/protocol/outcome.ts';
import { REFUSALS } from '../src/protocol/refusal.ts';
import { LAYERS } from './layer-rules.ts';

const ROOT = join(import.meta.dirname, '..');

/** Paths under the root, of all documents for people. */
export function documents(): string[] {
  const inDocs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...inDocs.map((name) => `docs/${name}`)];
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const TABLES: Readonly<Record<string, () => string>> = {
  outcomes: () =>
    table(
      ['outcome', 'means', 'exit'],
      Object.entries(OUTCOMES).map(([name, { means, exit }]) => [name, means, String(exit)]),
    ),
  'exit-codes': () =>
    table(
      ['exit code', ''],
      EXIT_CODES.map((row) => [...row]),
    ),
  refusals: () =>
    table(
      ['code', 'means', 'what to do'],
      Object.entries(REFUSALS).map(([code, row]) => [code, row.means, 'next' in row ? row.next : '']),
    ),
  folders: () =>
    table(
      ['flag', 'variable', 'default', ''],
      Object.values(FOLDER_OPTIONS).map(([flags, variable, what, preset]) => [
        `\`${flags}\``,
        `\`${variable}\``,
        preset,
        what,
      ]),
    ),
  layers: () =>
    table(
      ['layer', 'may import'],
      Object.entries(LAYERS).map(([name, allowed]) => [
        name,
        allowed.map((one) => (one === '*' ? 'all' : one)).join(', ') || 'nothing',
      ]),
    ),
  'agent.yaml': () => keyTable(agentKeys()),
  'controller.yaml': () => keyTable(controllerKeys()),
  'inventory.yaml': () => keyTable(inventoryKeys()),
};

/** Returns the text with every table up to date. Throws for unknown tables. */
export function withTables(text: string): string {
  return text.replace(/(<!-- table: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g, (_all, begin, name, end) => {
    const make = TABLES[name];
    if (make === undefined) throw new Error(`there is no table "${name}"`);
    return `${begin}\n${make()}\n${end}`;
  });
}

function keyTable(keys: readonly DescribedKey[]): string {
  const hasPresets = keys.some(({ preset }) => preset !== '');
  return table(
    hasPresets ? ['key', 'default', ''] : ['key', ''],
    keys.map(({ key, preset, what }) => [`\`${key}\``, ...(hasPresets ? [preset] : []), what]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`.replaceAll('|  |', '| |');
  return `${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`;
}

function main(): void {
  for (const path of documents()) {
    const text = readDocument(path);
    const current = withTables(text);
    if (current !== text) writeFileSync(join(ROOT, path), current);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
