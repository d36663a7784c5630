/**
 * Checks DESIGN 7 against the real import statements: the table of layers, circles, the packages
 * and the parts of the process that only some may use. `layers.ts [ROOT]` checks ROOT/src.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Import, importsOf, linesWith } from './imports.ts';
import { type Allowed, LAYERS, layerOf, PACKAGES, PROCESS_RULES, TYPES_ONLY } from './layer-rules.ts';

export interface Violation {
  /** Under the root, with forward slashes. */
  file: string;
  line: number;
  message: string;
}

interface SourceFile {
  /** Under src/, with forward slashes. */
  path: string;
  text: string;
  imports: Import[];
}

/** Everything in `root`/src that breaks the rules, by file and line. */
export function checkLayers(root: string): Violation[] {
  const files = readSources(join(root, 'src'));
  const known = new Set(files.map(({ path }) => path));
  const found = [
    ...files.flatMap((file) => layerViolations(file, known)),
    ...files.flatMap(packageViolations),
    ...files.flatMap(valueViolations),
    ...files.flatMap(processViolations),
    ...circles(files),
  ];
  return found
    .map((violation) => ({ ...violation, file: `src/${violation.file}` }))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

function readSources(src: string): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
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
  if (layer === undefined) {
    return [{ file: file.path, line: 1, message: 'belongs to no layer of DESIGN 7' }];
  }
  return file.imports.filter(isRelative).flatMap((one) => {
    const target = targetOf(file, one);
    const complain = (message: string) => [{ file: file.path, line: one.line, message }];
    if (!known.has(target)) return complain(`imports "${one.specifier}", which is not in src`);
    const other = layerOf(target);
    if (other === undefined || other === layer) return [];
    const allowed = LAYERS[layer] ?? [];
    if (allowed.some((entry) => permits(entry, other, one.isTypeOnly))) return [];
    const typesOnly = allowed.some((entry) => typeof entry === 'object' && entry.types === other);
    return complain(`${layer} may not import ${typesOnly ? 'values of ' : ''}${other} ("${one.specifier}")`);
  });
}

function permits(entry: Allowed, layer: string, isTypeOnly: boolean): boolean {
  return typeof entry === 'string' ? entry === '*' || entry === layer : entry.types === layer && isTypeOnly;
}

function packageViolations(file: SourceFile): Violation[] {
  const layer = layerOf(file.path) ?? '';
  return file.imports.flatMap(({ specifier, line }) => {
    const name = specifier.startsWith('@') ? specifier : (specifier.split('/')[0] ?? '');
    const may = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
    if (may === undefined || may.includes(layer)) return [];
    return [{ file: file.path, line, message: `only ${may.join(', ')} may import ${name}` }];
  });
}

function valueViolations(file: SourceFile): Violation[] {
  return file.imports.flatMap(({ specifier, line, isTypeOnly }) => {
    const instead = Object.hasOwn(TYPES_ONLY, specifier) ? TYPES_ONLY[specifier] : undefined;
    if (isTypeOnly || instead === undefined) return [];
    return [{ file: file.path, line, message: `only types of ${specifier} may be imported; use ${instead}` }];
  });
}

function processViolations(file: SourceFile): Violation[] {
  return PROCESS_RULES.filter(({ may }) => !may.test(file.path)).flatMap(({ pattern, what }) =>
    linesWith(file.text, pattern).map((line) => ({ file: file.path, line, message: what })),
  );
}

/** Circles of value imports: types are gone when the program runs, and their circles with them. */
function circles(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found: Violation[] = [];
  const finished = new Set<string>();
  const visit = (file: SourceFile, way: readonly string[]) => {
    if (finished.has(file.path)) return;
    for (const one of file.imports) {
      if (one.isTypeOnly || !isRelative(one)) continue;
      const target = byPath.get(targetOf(file, one));
      if (target === undefined) continue;
      const here = [...way, file.path];
      const start = here.indexOf(target.path);
      if (start < 0) visit(target, here);
      else {
        const circle = [...here.slice(start), target.path].join(' -> ');
        found.push({ file: file.path, line: one.line, message: `import circle: ${circle}` });
      }
    }
    finished.add(file.path);
  };
  for (const file of files) visit(file, []);
  return found;
}

function main(): void {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
  const violations = checkLayers(root);
  for (const { file, line, message } of violations) console.error(`${file}:${line}: ${message}`);
  if (violations.length > 0) {
    console.error(`${violations.length} against the layers of DESIGN 7`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
