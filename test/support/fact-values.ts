/** A PuppetDB that knows some facts. */
import { valueAt } from '../../src/conditions/fact-condition.ts';
import type { NodeDatabase } from '../../src/controller/targeting/host-sources.ts';

/** A PuppetDB that knows these facts, by certname. */
export function factValuesOf(facts: Readonly<Record<string, object>>): NodeDatabase['factValues'] {
  return async (paths) =>
    new Map(Object.entries(facts).map(([name, one]) => [name, paths.map((path) => valueAt(one, path))]));
}
