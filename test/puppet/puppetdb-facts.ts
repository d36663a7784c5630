/** The same conditions on the same facts, by inventory and by a real PuppetDB: they must choose the same hosts. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';
import { byFacts } from '../../src/controller/targeting/fact-choice.ts';
import type { HostSources, NodeDatabase } from '../../src/controller/targeting/host-sources.ts';
import { nobody } from '../controller/choosing.ts';

/** PostgreSQL cannot store NUL, nor half a character. */
const text = fc.oneof(
  fc.constantFrom(
    '12',
    '9',
    '12.10',
    '12.4',
    '0.5',
    '-3',
    'trixie/sid',
    'true',
    'Debian',
    '',
    ' 8',
    '1e3',
    '007',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((one) => !one.includes('\0')),
);

const scalar = fc.oneof(
  text,
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(12.4, 12.5, 0.5, -3.5, 4_294_967_296, 1e15, 1e-7),
  fc.boolean(),
  fc.constant(null),
);

const key = fc.constantFrom('a', 'c_d', 'e-f', 'g.h', '0', '/boot', 'and', 'length');

const value = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  {
    weight: 2,
    arbitrary: fc.dictionary(key, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxKeys: 3 }),
  },
);

const facts = fc.dictionary(key, value, { minKeys: 4, maxKeys: 6 });

/** Facts of hosts, the same ones each time. */
export function sampleFacts(count: number): Record<string, object> {
  const samples = fc.sample(facts, { numRuns: count, seed: 14 });
  return Object.fromEntries(samples.map((one, index) => [`facts${index + 1}.lab`, { ...one }]));
}

const path = fc
  .tuple(key, fc.array(fc.oneof(key, fc.constantFrom('[0]', '[1]')), { maxLength: 2 }))
  .map(([first, rest]) =>
    rest.reduce((all, one) => all + (one.startsWith('[') ? one : `.${quoted(one)}`), quoted(first)),
  );

const quoted = (name: string) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : `"${name}"`);

const condition = fc.oneof(
  fc.tuple(
    path,
    fc.constantFrom('=', '!=', '~'),
    fc.constantFrom('12', 'true', 'Debian', '8', '12.4', '.', '4.0'),
  ),
  fc.tuple(
    path,
    fc.constantFrom('<', '<=', '>', '>='),
    fc.constantFrom('12', '9', '12.4', '0.25', '-3', '4.0.1'),
  ),
);

export interface FactsCompared {
  database: NodeDatabase;
  /** By certname, as PuppetDB was told. */
  facts: Readonly<Record<string, object>>;
  numRuns: number;
}

/** Generated conditions, one or two of them, with the hosts named and without. */
export async function compareByFacts({ database, facts, numRuns }: FactsCompared): Promise<void> {
  const names = Object.keys(facts);
  const targets = names.map((name) => ({ name, facts: facts[name] }));
  const { inventory, problems } = readBoltInventory({ targets });
  expect(problems).toEqual([]);
  const contextOf = (sources: HostSources) => ({ inventory, sources, port: 1, warn: () => {} });
  const both = [contextOf(nobody), contextOf({ ...nobody, database })];
  const everyone = () => Promise.reject(new Error('not asked here'));
  const conditions = fc.array(condition, { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(conditions, fc.boolean(), async (all, isNamed) => {
      const parsed = all.map((parts) => parseFactCondition(parts.join('')));
      const from = isNamed ? names.slice(0, 7) : undefined;
      const [byInventory, byPuppetDb] = await Promise.all(
        both.map(async (context) => {
          const { hosts, why } = await byFacts(parsed, { from, context, everyone });
          // Others of the lab are in PuppetDB, too.
          const found = [...hosts].filter((name) => Object.hasOwn(facts, name)).sort();
          return { found, why: [...(why ?? [])].filter(([name]) => Object.hasOwn(facts, name)).sort() };
        }),
      );
      expect(byPuppetDb, all.join(' ')).toEqual(byInventory);
    }),
    { numRuns },
  );
}
