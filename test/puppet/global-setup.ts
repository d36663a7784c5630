/** One lab for all the tests against real Puppet: brought up before them, removed after them. */
import type { TestProject } from 'vitest/node';
import { type LabPlace, startLab } from '../lab/lab.ts';
import { AGENTS } from './agents.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    lab: LabPlace;
  }
}

/** Vitest calls it by its name. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const lab = await startLab({ agents: Object.values(AGENTS).flat().length, puppetDb: true });
  const { dir, port, puppetDbPort } = lab;
  project.provide('lab', { dir, port, ...(puppetDbPort !== undefined && { puppetDbPort }) });
  return () => lab.remove();
}
