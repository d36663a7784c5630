/**
 * Express, without the table of 2,500 file types that it loads for files to serve: the agent serves none, and the table
 * costs each agent more than 1 MB (docs/performance.md).
 */
import { createRequire, Module } from 'node:module';
import type { Express } from 'express';

export async function loadExpress(): Promise<() => Express> {
  leaveOutFileTypes();
  return (await import('express')).default;
}

/** As if it had been loaded and were empty. Where it cannot be found (another layout, one file) it is loaded as ever. */
function leaveOutFileTypes(): void {
  const require = createRequire(import.meta.url);
  try {
    const path = createRequire(require.resolve('express')).resolve('mime-db');
    require.cache[path] ??= Object.assign(new Module(path), { exports: {}, loaded: true });
  } catch {
    // only its memory is not saved
  }
}
