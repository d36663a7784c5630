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
  return checkLayers(tree(files)).map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

test('checkLayers finds nothing in a tree that keeps to the table', () => {
  const files = {
    'bin.ts': "const { main } = await import('./cli/main.ts');\n",
    'cli/main.ts': "import pino from 'pino';\nimport { a } from '../agent/a.ts';\n",
    'cli/terminal.ts': 'export const write = (text: string) => process.stdout.write(text);\n',
    'agent/a.ts':
      "import { p } from '../protocol/p.ts';\nimport type { T } from '../transport/transport.ts';\n",
    'protocol/p.ts': "import { KickError } from '../errors.ts';\n",
    'pki/i.ts': "import type { P } from '../protocol/p.ts';\n",
    'transport/transport.ts': "import type { P } from '../protocol/p.ts';\n",
    'transport/https/l.ts': "import express from 'express';\nimport { p } from '../../protocol/p.ts';\n",
  };
  expect(check(files)).toEqual([]);
});

test('checkLayers names every import against the table with its line', () => {
  const files = {
    'util/u.ts': "import { p } from '../protocol/p.ts';\n",
    'protocol/p.ts': "// a comment\nimport { a } from '../agent/a.ts';\nexport * from '../cli/c.ts';\n",
    'agent/a.ts': 'export const a = 1;\n',
    'cli/c.ts': '',
    'controller/c.ts': "\nimport type {\n  A,\n  B,\n} from '../agent/a.ts';\n",
    'report/r.ts': "const later = () => import('../agent/a.ts');\n",
    'puppet/p.ts': "import { x } from '../transport/transport.ts';\n",
    'transport/transport.ts': "import { p } from '../protocol/p.ts';\n",
  };
  expect(check(files)).toEqual([
    'src/controller/c.ts:2: controller may not import agent ("../agent/a.ts")',
    'src/protocol/p.ts:2: protocol may not import agent ("../agent/a.ts")',
    'src/protocol/p.ts:3: protocol may not import cli ("../cli/c.ts")',
    'src/puppet/p.ts:1: puppet may not import transport ("../transport/transport.ts")',
    'src/report/r.ts:1: report may not import agent ("../agent/a.ts")',
    'src/transport/transport.ts:1: transport may not import values of protocol ("../protocol/p.ts")',
    'src/util/u.ts:1: util may not import protocol ("../protocol/p.ts")',
  ]);
});

test('checkLayers finds a circle of value imports and lets one of types be', () => {
  const files = {
    'util/a.ts': "import { b } from './b.ts';\n",
    'util/b.ts': "import { c } from './c.ts';\n",
    'util/c.ts': "\nimport { a } from './a.ts';\n",
    'util/d.ts': "import type { E } from './e.ts';\n",
    'util/e.ts': "import { d } from './d.ts';\n",
  };
  expect(check(files)).toEqual([
    'src/util/c.ts:2: import circle: util/a.ts -> util/b.ts -> util/c.ts -> util/a.ts',
  ]);
});

test('checkLayers keeps packages and the process to those who may use them', () => {
  const files = {
    'agent/a.ts': "import express from 'express';\nimport type { Logger } from 'pino';\n",
    'cli/c.ts': "process.stderr.write('x');\nprocess.exitCode = 1;\n",
    'util/u.ts': "const home = process.env['HOME'];\n// process.stdout is not touched\n",
    'pki/x.ts': "import { env } from 'node:process';\n",
  };
  expect(check(files)).toEqual([
    'src/agent/a.ts:1: only transport/https may import express',
    'src/agent/a.ts:2: only cli may import pino',
    'src/cli/c.ts:1: touches stdout or stderr; only cli/terminal.ts does',
    'src/pki/x.ts:1: imports node:process, which hides what it touches; use the global',
    'src/util/u.ts:1: reads argv or the environment, or sets the exit status; only cli does',
  ]);
});

test('checkLayers finds an import of more than types of node:http', () => {
  const files = {
    'util/a.ts': "import type { Server } from 'node:http';\ntype Http = typeof import('node:http');\n",
    'util/b.ts': "import { type Server, request } from 'node:http';\n",
    'util/c.ts': "const later = () => import('node:http');\nimport https from 'node:https';\n",
  };
  expect(check(files)).toEqual([
    'src/util/b.ts:1: only types of node:http may be imported; use util/node-http.ts',
    'src/util/c.ts:1: only types of node:http may be imported; use util/node-http.ts',
  ]);
});

test('checkLayers complains of a file in no layer and of an import that leads nowhere', () => {
  expect(check({ 'stray.ts': '', 'misc/m.ts': '', 'util/u.ts': "import './gone.ts';\n" })).toEqual([
    'src/misc/m.ts:1: belongs to no layer of DESIGN 7',
    'src/stray.ts:1: belongs to no layer of DESIGN 7',
    'src/util/u.ts:1: imports "./gone.ts", which is not in src',
  ]);
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
  const root = tree({ 'util/u.ts': "import { a } from '../agent/a.ts';\n", 'agent/a.ts': '' });
  const ended = spawnSync('node', ['--import', 'tsx', SCRIPT, root], { encoding: 'utf8' });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain('src/util/u.ts:1: util may not import agent');
});
