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
  const { testFiles } = await project.globTestFiles();
  // A minute of a processor, which those who leave its tests out need not wait for.
  const puppetDb = testFiles.some((file) => file.endsWith('/puppetdb.test.ts'));
  const lab = await startLab({ agents: Object.values(AGENTS).flat().length, puppetDb });
  const { dir, port, puppetDbPort } = lab;
  project.provide('lab', { dir, port, ...(puppetDbPort !== undefined && { puppetDbPort }) });
  return () => lab.remove();
}
