/**
 * Writes the tables in README.md and docs/ that come from the code, each between `<!-- table: NAME -->` and `<!-- end -->`:
 *
 *     npm run docs        writes them again
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOLDER_OPTIONS } from '../src/cli/options/folders.ts';
import { exitCodeOf } from '../src/cli/report-error.ts';
import { agentKeys, controllerKeys, type DescribedKey, inventoryKeys } from '../src/config/keys.ts';
import { ERRORS, type ErrorCode } from '../src/errors.ts';
import { EXIT_CODES, OUTCOMES } from '../src/protocol/outcome.ts';
import { REFUSALS, type RefusalCode } from '../src/protocol/refusal.ts';
import { REFUSAL_STATUS } from '../src/transport/https/listener/refusal-status.ts';
import { PROBLEMS } from '../src/web/api/problem.ts';
import { BY_CODE } from '../src/web/server/http/problems.ts';
import { directDependencies, runtimePackages } from './dependencies.ts';
import { LAYERS } from './layer-rules.ts';

const ROOT = join(import.meta.dirname, '..');

/** Paths under the root, of all documents for people. */
export function documents(): string[] {
  const inDocs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'SECURITY.md', ...inDocs.map((name) => `docs/${name}`)];
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
      ['code', 'HTTP', 'means', 'what to do'],
      Object.entries(REFUSALS).map(([code, row]) => [
        code,
        String(REFUSAL_STATUS[code as RefusalCode]),
        row.means,
        'next' in row ? row.next : '',
      ]),
    ),
  errors: () =>
    table(
      ['code', 'means', 'exit', 'in the API'],
      Object.entries(ERRORS).map(([code, means]) => [
        code,
        means,
        String(exitCodeOf(code as ErrorCode)),
        BY_CODE[code as ErrorCode],
      ]),
    ),
  problems: () =>
    table(
      ['code', 'HTTP', 'means'],
      Object.entries(PROBLEMS).map(([code, [status, title]]) => [code, String(status), title]),
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
  dependencies: () =>
    `${table(
      ['package', 'version', 'licence', 'what for', 'brings'],
      directDependencies().map(({ name, version, licence, whatFor, brings }) => [
        name,
        version,
        licence,
        whatFor,
        brings === 0 ? 'nothing' : `${brings} more`,
      ]),
    )}\n${runtimePackages()} packages in all; what several need is counted for each.\n`,
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
