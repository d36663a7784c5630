/** DESIGN 12, discovery: names and exclusions travel with the question, and choose the same hosts as when they do not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meantAmong } from '../../src/conditions/nodeset/meant.ts';
import type { HostAnswer } from '../../src/controller/fleet/answers.ts';
import type { Discovered } from '../../src/controller/fleet/discover.ts';
import type { HostSources } from '../../src/controller/targeting/host-sources.ts';
import type { Meant } from '../../src/protocol/discovery.ts';
import { choose, excluding, nobody, warnings } from './choosing.ts';

const AGENTS = ['web1.example.com', 'web2.example.com', 'web10.example.com', 'db1.elsewhere.org', 'new1.org'];

interface Asked {
  meant?: Meant | undefined;
  expected?: string[] | undefined;
}

/** `knows`: whether the agents know what `meant` is. */
async function discovered(
  named: string[],
  exclude: string[],
  { knows = true, inventory }: { knows?: boolean; inventory?: object } = {},
) {
  const asked: Asked = {};
  const discover: HostSources['discover'] = async (_, { meant, expected }) => {
    Object.assign(asked, { meant, expected: expected && [...expected] });
    const answers = new Map<string, HostAnswer>();
    for (const certname of AGENTS) {
      const is = await said(certname, knows ? meant : undefined);
      if (is !== undefined) answers.set(certname, { certname, is, latencyMs: 1 });
    }
    const ignored = { forged: 0, repeated: 0, tooMany: 0 };
    return { answers, ignored, silent: [], absent: new Set(), expected: undefined, tookMs: 1 } as Discovered;
  };
  const sources = { ...nobody, discover };
  const more = { discover: {}, ...excluding(...exclude) };
  const given = { sources, ...(inventory !== undefined && { inventory }) };
  const chosen = await choose(named, more, given).then(
    ({ targets, unanswered, discovery }) => ({
      targets: targets.map(({ certname }) => certname),
      silent: unanswered.map(({ target }) => target.certname),
      expected: discovery?.expected,
    }),
    (error: Error) => ({ error: error.message }),
  );
  return { chosen, asked, warnings: [...warnings] };
}

async function said(certname: string, meant: Meant | undefined): Promise<'yes' | 'no' | undefined> {
  if (meant === undefined) return 'yes';
  const { named, excluded } = await meantAmong(new Set([certname]), meant);
  if (!named.has(certname)) return undefined;
  return excluded.has(certname) ? 'no' : 'yes';
}

const term = fc.constantFrom(
  ...[
    'web1',
    'web[1-2]',
    'db',
    'new1.org',
    'web*',
    '*.org',
    'web?',
    '/1\\./',
    '@web',
    '@most',
    '@outer',
    '"web1"',
  ],
);
const expression = fc
  .tuple(term, fc.array(fc.tuple(fc.constantFrom(',', '!', '&', '^'), term), { maxLength: 3 }))
  .map(([first, more]) => first + more.map((one) => one.join('')).join(''));

test('the same hosts are chosen whether agents know of it or not', async () => {
  const some = fc.array(expression, { maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(some, some, async (named, exclude) => {
      const [now, before] = [
        await discovered(named, exclude),
        await discovered(named, exclude, { knows: false }),
      ];
      expect(now.chosen).toEqual(before.chosen);
      // Whom nobody has named nobody has found.
      if (named.length === 0) expect(now.warnings).toEqual(before.warnings);
    }),
    { numRuns: 200 },
  );
});

test('what travels: certnames, masks and regular expressions, and no groups', async () => {
  const meant = async (named: string[], exclude: string[] = []) =>
    (await discovered(named, exclude)).asked.meant;
  const domain = 'example.com';
  expect(await meant(['web[1-2]', 'db', 'web10'])).toEqual({
    named: ['db1.elsewhere.org,web[1-2,10].example.com'],
    domain,
  });
  expect(await meant(['web*!web1,/^db/'], ['web2', '@web'])).toEqual({
    named: ['web*,/^db/'],
    exclude: ['web2.example.com'],
    domain,
  });
  expect(await meant(['web*&@most'])).toEqual({ named: ['web*'], domain });
  expect(await meant(['web*!web1^db'])).toEqual({ named: ['web*,db1.elsewhere.org'], domain });
  expect(await meant([], ['web*,@most'])).toEqual({ exclude: ['web*'], domain });
  for (const named of ['@web', 'web*,@most', 'web*^@most', '@*'])
    expect(await meant([named]), named).toBeUndefined();
  expect(await meant([], ['web*!@most'])).toBeUndefined();
  expect(await meant([`web[1-20000]`])).toBeUndefined();
  expect(await meant(Array.from({ length: 200 }, (_, n) => `${'x'.repeat(n + 1)}.org`))).toBeUndefined();
});

test('hosts that are named are expected, and those that are excluded are not waited for', async () => {
  const expected = async (named: string[], exclude: string[] = []) =>
    (await discovered(named, exclude)).asked.expected?.sort();
  expect(await expected(['web?', 'gone1'])).toEqual([
    'gone1.example.com',
    'web1.example.com',
    'web2.example.com',
  ]);
  expect(await expected([], ['web*'])).toEqual(['db1.elsewhere.org']);
  expect(await expected(['@web'])).toBeUndefined();
});

test('an exclusion of a host that only discovery knows is no typo; one of nobody is', async () => {
  const inventory = {};
  const { chosen, warnings: none } = await discovered([], ['new1.org'], { inventory });
  expect(chosen).toMatchObject({ targets: AGENTS.filter((name) => name !== 'new1.org').sort(), silent: [] });
  expect(none).toEqual([]);
  expect((await discovered(['*.org!new1.org'], [], { inventory })).warnings).toEqual([]);
  expect((await discovered([], ['new2.org'], { inventory })).warnings).toEqual([
    expect.stringMatching(/new2\.org: no such host among the chosen/),
  ]);
});
