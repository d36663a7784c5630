/**
 * Checks DESIGN 7 against the real import statements, those of types and dynamic ones as well: the table of layers,
 * rooms, circles, the packages and the parts of the process that only some may use, and the lengths of files and
 * functions. `layers.ts [ROOT]` checks ROOT/src.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { circlesIn } from './circles.ts';
import { functionsOf } from './functions.ts';
import { type Import, importsOf, linesWith } from './imports.ts';
import {
  hasRoom,
  LAYERS,
  layerOf,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  NEIGHBOURS,
  PACKAGES,
  PROCESS_RULES,
  TYPES_ONLY,
} from './layer-rules.ts';

export interface Violation {
  /** Under the root, with forward slashes. */
  file: string;
  line: number;
  message: string;
}

export interface House {
  violations: Violation[];
  /** One line: files, their median and largest, long functions, circles. */
  summary: string;
}

interface SourceFile {
  /** Under src/, with forward slashes. */
  path: string;
  text: string;
  imports: Import[];
}

/** Everything in `root`/src that breaks the rules, by file and line. */
export function checkLayers(root: string): House {
  const files = readSources(join(root, 'src'));
  const known = new Set(files.map(({ path }) => path));
  const circles = circleViolations(files, known);
  const found = [
    ...files.flatMap((file) => layerViolations(file, known)),
    ...files.flatMap(packageViolations),
    ...files.flatMap(processViolations),
    ...files.flatMap(lengthViolations),
    ...circles,
  ];
  const inSource = found.map((violation) => ({ ...violation, file: `src/${violation.file}` }));
  const violations = [...inSource, ...neighbourViolations(root)].sort((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  );
  return { violations, summary: summaryOf(files, circles.length) };
}

function readSources(src: string): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => {
      const text = readFileSync(join(src, path), 'utf8');
      return { path: path.replaceAll('\\', '/'), text, imports: importsOf(text) };
    });
}

const isRelative = ({ specifier }: Import) => specifier.startsWith('.');

function targetOf(file: SourceFile, { specifier }: Import): string {
  return posix.join(dirname(file.path), specifier);
}

function layerViolations(file: SourceFile, known: ReadonlySet<string>): Violation[] {
  const layer = layerOf(file.path);
  if (layer === undefined)
    return [{ file: file.path, line: 1, message: 'belongs to no layer of the design' }];
  if (!hasRoom(file.path, layer))
    return [{ file: file.path, line: 1, message: `stands in no room of ${layer}` }];
  return file.imports.filter(isRelative).flatMap((one) => {
    const target = targetOf(file, one);
    const complain = (message: string) => [{ file: file.path, line: one.line, message }];
    if (!known.has(target)) return complain(`imports "${one.specifier}", which is not in src`);
    const other = layerOf(target);
    if (other === undefined || other === layer) return [];
    const allowed = LAYERS[layer] ?? [];
    if (TYPES_ONLY.includes(layer) && !one.isTypeOnly)
      return complain(`${layer} may import only types of ${other} ("${one.specifier}")`);
    if (allowed.includes('*') || allowed.includes(other)) return [];
    return complain(`${layer} may not import ${other} ("${one.specifier}")`);
  });
}

/** Imports of tools/, scripts/ and bench/ that lead elsewhere than the table allows. */
function neighbourViolations(root: string): Violation[] {
  return Object.entries(NEIGHBOURS).flatMap(([folder, allowed]) => {
    if (!existsSync(join(root, folder))) return [];
    return readSources(join(root, folder)).flatMap(({ path, imports }) =>
      imports.filter(isRelative).flatMap(({ specifier, line }) => {
        const target = posix.join(folder, dirname(path), specifier);
        if (allowed.some((one) => target.startsWith(`${one}/`))) return [];
        const message = `${folder} may not import "${specifier}"`;
        return [{ file: `${folder}/${path}`, line, message }];
      }),
    );
  });
}

function packageViolations(file: SourceFile): Violation[] {
  const layer = layerOf(file.path) ?? '';
  return file.imports.flatMap(({ specifier, line }) => {
    const [scope = '', rest] = specifier.split('/');
    const full = scope.startsWith('@') ? `${scope}/${rest}` : scope;
    const ruled = [full, scope].find((one) => Object.hasOwn(PACKAGES, one)) ?? '';
    const may = PACKAGES[ruled];
    if (may === undefined || may.includes(layer)) return [];
    return [{ file: file.path, line, message: `only ${may.join(', ')} may import ${ruled}` }];
  });
}

function processViolations(file: SourceFile): Violation[] {
  return PROCESS_RULES.filter(({ may }) => !may.test(file.path)).flatMap(({ pattern, what }) =>
    linesWith(file.text, pattern).map((line) => ({ file: file.path, line, message: what })),
  );
}

/** Circles of any kind of import: one of types also means that neither file can be read alone. */
function circleViolations(files: readonly SourceFile[], known: ReadonlySet<string>): Violation[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter(isRelative)
        .map((one) => ({ target: targetOf(file, one), line: one.line }))
        .filter(({ target }) => known.has(target)),
    ]),
  );
  return circlesIn(graph).map(({ file, line, way }) => ({
    file,
    line,
    message: `import circle: ${way.join(' -> ')}`,
  }));
}

// ---------------------------------------------------------------- lengths

/** In the first lines of a file, or above or in a function: why it may be longer than others. */
const REASON = /\bLong because\b/;

function lengthViolations({ path, text }: SourceFile): Violation[] {
  const lines = text.split('\n');
  const hasReason = (from: number, to: number) => REASON.test(lines.slice(Math.max(0, from), to).join('\n'));
  const count = lineCount(text);
  const long = functionsOf(text)
    .filter((one) => one.lines > MAX_FUNCTION_LINES && !hasReason(one.line - 6, one.line + 4))
    .map((one) => ({
      file: path,
      line: one.line,
      message: `${one.name} has ${one.lines} lines (at most ${MAX_FUNCTION_LINES})`,
    }));
  if (count <= MAX_FILE_LINES || hasReason(0, 12)) return long;
  return [{ file: path, line: 1, message: `has ${count} lines (at most ${MAX_FILE_LINES})` }, ...long];
}

const lineCount = (text: string) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

function summaryOf(files: readonly SourceFile[], circles: number): string {
  const sizes = files
    .map(({ path, text }) => ({ path, lines: lineCount(text) }))
    .sort((a, b) => a.lines - b.lines);
  const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
  const largest = sizes.at(-1);
  const long = files
    .flatMap(({ text }) => functionsOf(text))
    .filter(({ lines }) => lines > MAX_FUNCTION_LINES);
  return [
    `${files.length} files`,
    `median ${median} lines`,
    `largest ${largest?.lines ?? 0} (src/${largest?.path ?? ''})`,
    `${long.length} functions over ${MAX_FUNCTION_LINES} lines`,
    `${circles} circles`,
  ].join(', ');
}

function main(): void {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
  const { violations, summary } = checkLayers(root);
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`);
  console.log(summary);
  if (violations.length > 0) {
    console.error(`${violations.length} against the layers of docs/design.md`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
