/** One lab for all the tests against real Puppet: brought up before them, removed after them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type LabPlace, startLab } from '../lab/lab.ts';
import { AGENTS } from './agents.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    lab: LabPlace;
  }
}

const ROOT = join(import.meta.dirname, '..', '..');

/** Vitest calls it by its name. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildWhereStale();
  const lab = await startLab({ agents: Object.values(AGENTS).flat().length, puppetDb: true });
  const { dir, port, puppetDbPort } = lab;
  project.provide('lab', { dir, port, ...(puppetDbPort !== undefined && { puppetDbPort }) });
  return () => lab.remove();
}

/** The tests run the program as it is installed: dist/bin.js. */
function buildWhereStale(): void {
  const program = join(ROOT, 'dist', 'bin.js');
  const built = existsSync(program) ? statSync(program).mtimeMs : 0;
  const isStale = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => statSync(join(ROOT, 'src', name)).mtimeMs > built);
  if (isStale) execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
}
