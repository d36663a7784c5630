/**
 * Loads Express without its table of 2,500 file types: the agent serves no files, and the table costs each agent more than
 * 1 MB (docs/performance.md).
 */
import { createRequire, Module } from 'node:module';
import type { Express } from 'express';

export async function loadExpress(): Promise<() => Express> {
  leaveOutFileTypes();
  return (await import('express')).default;
}

/** Marks the table as loaded and empty. If it is not found (another layout, a bundle), it is loaded as usual. */
function leaveOutFileTypes(): void {
  const require = createRequire(import.meta.url);
  try {
    const path = createRequire(require.resolve('express')).resolve('mime-db');
    require.cache[path] ??= Object.assign(new Module(path), { exports: {}, loaded: true });
  } catch {
    // only the memory is not saved
  }
}
