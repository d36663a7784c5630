/** npm run layers finds every import, circle, package and length that is against the table. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf } from '../../scripts/imports.ts';
import { checkLayers } from '../../scripts/layers.ts';
import { tempFolder } from '../support/temp.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'layers.ts');

function tree(files: Record<string, string>): string {
  const root = tempFolder();
  for (const [path, text] of Object.entries({ 'errors.ts': '', ...files })) {
    mkdirSync(dirname(join(root, 'src', path)), { recursive: true });
    writeFileSync(join(root, 'src', path), text);
  }
  return root;
}

function check(files: Record<string, string>): string[] {
  return checkLayers(tree(files)).violations.map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

test('checkLayers finds nothing in a tree that keeps to the table', () => {
  const files = {
    'bin.ts': "const { main } = await import('./cli/program.ts');\n",
    'cli/program.ts': "import pino from 'pino';\nimport { a } from '../agent/runs/a.ts';\n",
    'cli/terminal.ts': 'export const write = (text: string) => process.stdout.write(text);\n',
    'agent/runs/a.ts':
      "import { p } from '../../protocol/p.ts';\nimport type { T } from '../../transport/transport.ts';\n",
    'protocol/p.ts': "import { KickError } from '../errors.ts';\n",
    'pki/i.ts': "import type { P } from '../protocol/p.ts';\n",
    'transport/transport.ts': "import type { P } from '../protocol/p.ts';\n",
    'transport/https/listener/l.ts':
      "import express from 'express';\nimport { p } from '../../../protocol/p.ts';\n",
  };
  expect(check(files)).toEqual([]);
});

test('checkLayers names every import against the table with its line', () => {
  const files = {
    'util/u.ts': "import { p } from '../protocol/p.ts';\n",
    'protocol/p.ts': "// a comment\nimport { a } from '../agent/agent.ts';\nexport * from '../cli/who.ts';\n",
    'agent/agent.ts': 'export const a = 1;\n',
    'cli/who.ts': '',
    'controller/jobs/c.ts': "\nimport type {\n  A,\n  B,\n} from '../../agent/agent.ts';\n",
    'report/r.ts': "const later = () => import('../agent/agent.ts');\n",
    'config/c.ts': "import type { R } from '../report/r.ts';\n",
    'puppet/p.ts': "import { x } from '../transport/transport.ts';\n",
    'transport/transport.ts': '',
  };
  expect(check(files)).toEqual([
    'src/config/c.ts:1: config may not import report ("../report/r.ts")',
    'src/controller/jobs/c.ts:2: controller may not import agent ("../../agent/agent.ts")',
    'src/protocol/p.ts:2: protocol may not import agent ("../agent/agent.ts")',
    'src/protocol/p.ts:3: protocol may not import cli ("../cli/who.ts")',
    'src/puppet/p.ts:1: puppet may not import transport ("../transport/transport.ts")',
    'src/report/r.ts:1: report may not import agent ("../agent/agent.ts")',
    'src/util/u.ts:1: util may not import protocol ("../protocol/p.ts")',
  ]);
});

test('checkLayers finds circles of values, of types and of dynamic imports', () => {
  const files = {
    'util/a.ts': "import { b } from './b.ts';\n",
    'util/b.ts': "import { c } from './c.ts';\n",
    'util/c.ts': "\nimport { a } from './a.ts';\n",
    'util/d.ts': "import type { E } from './e.ts';\n",
    'util/e.ts': "import { d } from './d.ts';\n",
    'util/f.ts': "import { g } from './g.ts';\n",
    'util/g.ts': "const later = () => import('./f.ts');\n",
  };
  expect(check(files)).toEqual([
    'src/util/c.ts:2: import circle: util/a.ts -> util/b.ts -> util/c.ts -> util/a.ts',
    'src/util/e.ts:1: import circle: util/d.ts -> util/e.ts -> util/d.ts',
    'src/util/g.ts:1: import circle: util/f.ts -> util/g.ts -> util/f.ts',
  ]);
});

test('checkLayers keeps packages and the process to those who may use them', () => {
  const files = {
    'agent/agent.ts': "import express from 'express';\nimport type { Logger } from 'pino';\n",
    'cli/who.ts': "process.stderr.write('x');\nprocess.exitCode = 1;\n",
    'controller/controller.ts': "process.on('SIGINT', stop);\nprocess.stdin.resume();\n",
    'util/u.ts': "const home = process.env['HOME'];\n// process.stdout is not touched\n",
    'pki/x.ts': "import { env } from 'node:process';\n",
    'report/r.ts': 'new Date();\nnew Date(at);\nat.toLocaleTimeString();\n',
    'config/c.ts': 'const Port = v.number();\n',
  };
  expect(check(files)).toEqual([
    'src/agent/agent.ts:1: only transport/https, web/server may import express',
    'src/agent/agent.ts:2: only cli, report may import pino',
    'src/cli/who.ts:1: touches stdout or stderr; only cli/terminal.ts does',
    'src/config/c.ts:1: checks numbers or text without bounds; util/bounds.ts has a schema for each kind',
    'src/controller/controller.ts:1: handles signals; only cli does',
    'src/controller/controller.ts:2: reads argv, stdin or the environment, or sets the exit status; only cli does',
    'src/pki/x.ts:1: imports node:process, which hides what it touches; use the global',
    'src/report/r.ts:2: shows a time that may be out of bounds; util/times.ts does that safely',
    'src/report/r.ts:3: shows a time that may be out of bounds; util/times.ts does that safely',
    'src/util/u.ts:1: reads argv, stdin or the environment, or sets the exit status; only cli does',
  ]);
});

test('checkLayers complains of a file in no layer or room and of an import that leads nowhere', () => {
  const files = {
    ...{ 'stray.ts': '', 'misc/m.ts': '', 'util/u.ts': "import './gone.ts';\n" },
    ...{ 'agent/stray.ts': '', 'agent/attic/x.ts': '', 'util/deep/x.ts': '' },
  };
  expect(check(files)).toEqual([
    'src/agent/attic/x.ts:1: stands in no room of agent',
    'src/agent/stray.ts:1: stands in no room of agent',
    'src/misc/m.ts:1: belongs to no layer of the design',
    'src/stray.ts:1: belongs to no layer of the design',
    'src/util/deep/x.ts:1: stands in no room of util',
    'src/util/u.ts:1: imports "./gone.ts", which is not in src',
  ]);
});

test('checkLayers complains of long files and functions that give no reason', () => {
  const body = (lines: number) => Array.from({ length: lines }, () => '  work();').join('\n');
  const files = {
    'util/long.ts': `${'// a line\n'.repeat(251)}`,
    'util/reason.ts': `/** Long because it is one table. */\n${'// a line\n'.repeat(251)}`,
    'util/f.ts': `export function f(): void {\n${body(59)}\n}\n`,
    'util/g.ts': `const g = async (\n  a: string,\n): Promise<void> => {\n${body(57)}\n};\n`,
    'util/h.ts': `/** Long because it is one list. */\nfunction h() {\n${body(59)}\n}\n`,
    'util/ok.ts': `export function ok() {\n${body(58)}\n}\n`,
  };
  expect(check(files)).toEqual([
    'src/util/f.ts:1: f has 61 lines (at most 60)',
    'src/util/g.ts:1: g has 61 lines (at most 60)',
    'src/util/long.ts:1: has 251 lines (at most 250)',
  ]);
});

test('checkLayers keeps the tools beside src apart from the tests', () => {
  const root = tree({});
  for (const [path, text] of Object.entries({
    'tools/mint/m.ts':
      "import { p } from '../../src/pki/p.ts';\nimport { t } from '../../test/support/t.ts';\n",
    'bench/b.ts': "import { m } from '../tools/mint/m.ts';\nimport { l } from '../test/lab/l.ts';\n",
    'scripts/s.ts': "import { b } from '../bench/b.ts';\n",
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  expect(checkLayers(root).violations).toEqual([
    { file: 'scripts/s.ts', line: 1, message: 'scripts may not import "../bench/b.ts"' },
    { file: 'tools/mint/m.ts', line: 2, message: 'tools may not import "../../test/support/t.ts"' },
  ]);
});

test('checkLayers sums up the house in a line', () => {
  const files = {
    'util/a.ts': 'a\nb\nc\n',
    'util/b.ts': "import { c } from './c.ts';\n",
    'util/c.ts': 'x\n',
  };
  expect(checkLayers(tree(files)).summary).toBe(
    '4 files, median 1 lines, largest 3 (src/util/a.ts), 0 functions over 60 lines, 0 circles',
  );
});

test('importsOf reads every form of an import and nothing else', () => {
  const source = [
    "import './effect.ts';",
    "import * as v from 'valibot';",
    "import type Only from './only.ts';",
    "import type { A } from './a.ts';",
    "import { type B, b } from './b.ts';",
    "import type, { c } from './c.ts';",
    "import type from './d.ts';",
    "export type { E } from './e.ts';",
    "type F = typeof import('./f.ts');",
    '/* import { no } from "./no.ts"; */',
    "const text = 'import x';",
    "export const value = from('./no.ts');",
  ].join('\n');
  const found = importsOf(source).map(({ specifier, line, isTypeOnly }) => [line, specifier, isTypeOnly]);
  expect(found).toEqual([
    [1, './effect.ts', false],
    [2, 'valibot', false],
    [3, './only.ts', true],
    [4, './a.ts', true],
    [5, './b.ts', false],
    [6, './c.ts', false],
    [7, './d.ts', false],
    [8, './e.ts', true],
    [9, './f.ts', true],
  ]);
});

test('layers.ts exits with 1 and prints file and line where something is wrong', () => {
  const root = tree({ 'util/u.ts': "import { a } from '../agent/agent.ts';\n", 'agent/agent.ts': '' });
  const ended = spawnSync('node', ['--import', 'tsx', SCRIPT, root], { encoding: 'utf8' });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain('src/util/u.ts:1: util may not import agent');
});
