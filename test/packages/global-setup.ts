/** The packages that all tests here use: built before them, removed after them. */
import type { TestProject } from 'vitest/node';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { type BuiltPackages, buildPackages } from './build-packages.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    packages: BuiltPackages;
  }
}

/** Vitest calls it by its name. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = throwawayFolder({ prefix: 'kick-packages-' });
  project.provide('packages', await buildPackages(folder.path));
  return folder.remove;
}
