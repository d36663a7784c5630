/** The language of hosts against the program that it is taken from: ClusterShell's `nodeset`. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate } from '../../src/conditions/nodeset/evaluate.ts';
import { parseExpression } from '../../src/conditions/nodeset/expression.ts';
import { foldNames } from '../../src/conditions/nodeset/fold.ts';
import { globTest } from '../../src/conditions/nodeset/mask.ts';
import { KickError } from '../../src/errors.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

const GROUPS = {
  dmz: 'web[01-09].example.com',
  db: 'db[1-12],db007',
  rack1: 'web[1-20]-ilo',
  rack2: 'node[001-010]',
  mixed: '@dmz,db[2-4]!web05.example.com',
  all: 'web[01-09].example.com,db[1-12],db007,web[1-20]-ilo,node[001-010],lone',
};

interface Answer {
  status: number;
  out: string;
  err: string;
}

/** The Python that has ClusterShell: the one that `nodeset` names in its first line. */
function interpreter(): string {
  const nodeset = execFileSync('sh', ['-c', 'command -v nodeset'], { encoding: 'utf8' }).trim();
  return /^#!(\S+)/.exec(readFileSync(nodeset, 'utf8'))?.[1] ?? 'python3';
}

const folder = throwawayFolder();
let ask: (args: string[]) => Promise<Answer>;
let close: () => void;

beforeAll(() => {
  mkdirSync(join(folder.path, 'groups.d'));
  const conf = join(folder.path, 'groups.conf');
  writeFileSync(conf, `[Main]\ndefault: test\nautodir: ${folder.path}/groups.d\n`);
  writeFileSync(join(folder.path, 'groups.d', 'test.yaml'), JSON.stringify({ test: GROUPS }));
  const program = join(import.meta.dirname, 'nodeset-answers.py');
  const child = spawn(interpreter(), [program, conf], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((answer: Answer) => void)[] = [];
  child.once('exit', (status) => {
    for (const answer of waiting) answer({ status: -1, out: '', err: `nodeset-answers ended: ${status}` });
  });
  createInterface({ input: child.stdout }).on('line', (line) =>
    waiting.shift()?.(JSON.parse(line) as Answer),
  );
  ask = (args) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(args)}\n`);
    });
  close = () => child.stdin.end();
});

afterAll(() => {
  close();
  folder.remove();
});

async function ours(text: string): Promise<Set<string> | 'refused' | 'too many'> {
  try {
    return await evaluate(parseExpression(text, 'the test'), scope);
  } catch (error) {
    if (error instanceof KickError)
      return /means more than \d+ names/.test(error.message) ? 'too many' : 'refused';
    throw error;
  }
}

const scope = {
  host: (name: string) => name,
  async group(name: string): Promise<ReadonlySet<string>> {
    if (name === '*') return this.group('all');
    const definition = GROUPS[name as keyof typeof GROUPS];
    // To nodeset a group that does not exist is empty; kick's own scope refuses it (inventory.test.ts).
    if (definition === undefined) return new Set();
    return evaluate(parseExpression(definition, name), scope);
  },
  async matching(mask: string) {
    const all = await scope.group('*');
    return [...all].filter(globTest(mask));
  },
};

// ---------------------------------------------------------------- what is generated

const number = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map(String),
  fc.integer({ min: 0, max: 130 }).map((n) => String(n).padStart(2, '0')),
  fc.integer({ min: 0, max: 130 }).map((n) => String(n).padStart(3, '0')),
  // Where numbers get longer.
  fc.constantFrom('9', '99', '100', '998', '999', '1000', '1001'),
);

/** Mostly ranges that have a meaning, sometimes none: padding that differs, bounds that run backwards. */
const span = fc.oneof(
  { weight: 3, arbitrary: number },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 3 }))
      .map(
        ([start, more, pad]) =>
          `${String(start).padStart(pad, '0')}-${String(start + more).padStart(pad, '0')}`,
      ),
  },
  { weight: 1, arbitrary: fc.tuple(number, number).map(([a, b]) => `${a}-${b}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 85, max: 99 }), fc.integer({ min: 100, max: 115 }))
      .map(([a, b]) => `${a}-${b}`),
  },
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.integer({ min: 0, max: 4 }).map((n) => `/${n}`),
);
const ranged = fc.tuple(span, step).map(([a, b]) => (a.includes('-') ? a + b : a));
const bracket = fc
  .array(ranged, { minLength: 1, maxLength: 3 })
  .chain((parts) => fc.constantFrom(',', ', ').map((comma) => `[${parts.join(comma)}]`));
const word = fc.constantFrom('web', 'db', 'node', 'n', 'web0', 'web1', 'rack-', 'a.b', '');
const suffix = fc.constantFrom('', '', '.example.com', '-ilo', '5', '0.x');
const glob = fc.constantFrom(
  'web*',
  '*',
  '*-ilo',
  'web?',
  'web??.example.com',
  'node0*',
  'db[1-3]*',
  'd*[1-2]',
  'x*',
);
const group = fc.constantFrom('@dmz', '@db', '@rack[1-2]', '@rack1', '@mixed', '@*', '@nowhere');
const name = fc.tuple(word, bracket, suffix).map(([a, b, c]) => a + b + c);
const twice = fc
  .tuple(word, bracket, fc.constantFrom('-', 'x', '3', '-2-'), bracket, suffix)
  .map((all) => all.join(''));
const plain = fc.tuple(word, number, suffix).map(([a, b, c]) => a + b + c);
const atom = fc.oneof(
  { weight: 5, arbitrary: name },
  { weight: 2, arbitrary: plain },
  { weight: 2, arbitrary: twice },
  { weight: 3, arbitrary: group },
  { weight: 3, arbitrary: glob },
);
const operator = fc.constantFrom(',', ',', '!', '&', '^', ' , ', ' ! ', '& ', ' ^');
const expression = fc
  .tuple(atom, fc.array(fc.tuple(operator, atom), { maxLength: 4 }))
  .map(([first, rest]) => first + rest.map(([op, one]) => op + one).join(''));
const broken = fc
  .tuple(expression, fc.constantFrom(',', '!', '[', ']', '[]', ',,', '&!'), fc.nat())
  .map(
    ([text, junk, at]) => text.slice(0, at % (text.length + 1)) + junk + text.slice(at % (text.length + 1)),
  );

// ---------------------------------------------------------------- the comparison

const sorted = (names: Iterable<string>) => [...names].sort();
const expanded = ({ out }: Answer) => sorted(out.split('\n').filter((one) => one !== ''));

/** `mayRefuse`: what nodeset reads into junk (`[a-1-b-2]` is 1 to 2) is nothing to follow. */
async function compare(
  text: string,
  { mayRefuse = false } = {},
): Promise<'same' | 'both refuse' | 'stricter'> {
  const theirs = await ask(['-e', '-S', '\\n', text]);
  if (theirs.status < 0) throw new Error(theirs.err);
  const own = await ours(text);
  if (theirs.status !== 0) {
    expect(['refused', 'too many'], `nodeset refuses: ${theirs.err}`).toContain(own);
    return 'both refuse';
  }
  // Ours is bounded; a set that is taken away counts too, so the result itself may be small.
  if (own === 'too many') return 'stricter';
  if (mayRefuse && own === 'refused') return 'stricter';
  expect(own, `nodeset says: ${theirs.out.slice(0, 300)}`).not.toBe('refused');
  expect(sorted(own)).toEqual(expanded(theirs));
  return 'same';
}

test('an expression means what it means to nodeset, in 4000 generated cases', async () => {
  let same = 0;
  await fc.assert(
    fc.asyncProperty(expression, async (text) => {
      if ((await compare(text)) === 'same') same += 1;
    }),
    { numRuns: 4000 },
  );
  // Else the generator makes nothing but nonsense, and nothing was compared.
  expect(same).toBeGreaterThan(1500);
});

test('what nodeset refuses is refused, in 1500 broken cases', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(broken, async (text) => {
      if ((await compare(text, { mayRefuse: true })) === 'both refuse') refused += 1;
    }),
    { numRuns: 1500 },
  );
  expect(refused).toBeGreaterThan(500);
});

test('names are folded as nodeset folds them where one number varies', async () => {
  const names = fc.array(
    fc.tuple(fc.constantFrom('web', 'db-'), number, fc.constantFrom('', '.x')).map((all) => all.join('')),
    { minLength: 1, maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(names, async (list) => {
      const { out } = await ask(['-f', ...list]);
      expect(foldNames([...new Set(list)])).toBe(out);
    }),
    { numRuns: 1000 },
  );
});

test('folded names are read by nodeset as the same names, however many numbers vary', async () => {
  const names = fc.array(
    fc.tuple(
      fc.constantFrom('r', 'web'),
      number,
      fc.constantFrom('n', '.'),
      number,
      fc.constantFrom('', 'z'),
    ),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(names, async (rows) => {
      const list = rows.map((row) => row.join(''));
      const folded = foldNames([...new Set(list)]);
      expect(expanded(await ask(['-e', '-S', '\\n', folded]))).toEqual(sorted(new Set(list)));
      expect(sorted(await evaluate(parseExpression(folded, 'the test'), scope))).toEqual(
        sorted(new Set(list)),
      );
    }),
    { numRuns: 1000 },
  );
});
