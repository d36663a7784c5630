/** Vitest calls it by its name, once before all tests of a project. */
export { buildWhereStale as setup } from '../../tools/program.ts';
