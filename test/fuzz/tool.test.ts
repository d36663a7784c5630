/** The fuzzer of decoders finds what it looks for: decoders with a fault each, and one without. */
import { expect, onTestFinished, test } from 'vitest';
import { fuzzDecoders, inputFolder } from '../../tools/fuzz/decoders/command.ts';
import { type Decoder, isOf, json, type Opened } from '../../tools/fuzz/decoders/decoder.ts';
import { diceOf } from '../../tools/fuzz/decoders/dice.ts';
import { fuzzDecoder } from '../../tools/fuzz/decoders/fuzz-decoder.ts';
import { makeInput } from '../../tools/fuzz/decoders/make-input.ts';
import { tryInput } from '../../tools/fuzz/decoders/try-input.ts';

class Declared extends Error {}

const parse = (input: Buffer): unknown => {
  try {
    return JSON.parse(input.toString('utf8'));
  } catch {
    throw new Declared();
  }
};

const sound: Opened = {
  samples: [json({ name: 'web1', list: [1, 2, 3], deep: { a: { b: 'c' } } })],
  decode: parse,
  isDeclared: isOf(Declared),
};

/** What is found of a decoder that is sound but for this. */
async function found(fault: Partial<Opened>, runs = 400) {
  const { path: folder, remove } = inputFolder();
  onTestFinished(remove);
  const decoder: Decoder = { name: 'planted', about: 'a fault', open: () => ({ ...sound, ...fault }) };
  return (await fuzzDecoder(decoder, { runs, seed: 1, folder })).failures;
}

test('one without a fault has none', async () => {
  expect(await found({})).toEqual([]);
});

test('an error that is not declared, with the smallest input that makes it', async () => {
  const [failure] = await found({
    decode(input) {
      return (parse(input) as { name: string }).name.length;
    },
  });
  expect(failure?.what).toMatch(/TypeError/);
  expect(failure?.input.length).toBeLessThan(30);
});

test('a rejection that is not declared, of what is nested too deep', async () => {
  const [failure] = await found({
    decode: async (input) => {
      if (input.includes('['.repeat(1000))) throw new RangeError('too deep');
    },
  });
  expect(failure?.what).toMatch(/RangeError/);
});

test.each<[string, (value: unknown) => void, RegExp]>([
  ['a prototype that comes with the input', (value) => Object.assign({}, value), /prototype/],
  [
    'a global prototype that is added to',
    (value) => {
      const deep = (value as Record<string, Record<string, unknown>>) ?? {};
      if (Object.hasOwn(deep, '__proto__')) Reflect.set(Object.prototype, 'polluted', 1);
      return undefined;
    },
    /global prototype/,
  ],
])('%s', async (_what, work, words) => {
  const failures = await found({ decode: (input) => work(parse(input)) }, 2000);
  expect(failures.map(({ what }) => what).join('\n')).toMatch(words);
  expect({}).not.toHaveProperty('polluted');
});

test('what takes more than its time', async () => {
  // Of CPU: others may have the machine.
  const spend = (ms: number) => {
    const before = process.cpuUsage();
    const spent = () => process.cpuUsage(before).user + process.cpuUsage(before).system;
    while (spent() < ms * 1000) JSON.stringify(process.versions);
  };
  const [{ bytes: slow } = json({})] = sound.samples;
  const [failure] = await found({ decode: (input) => (input.equals(slow) ? spend(60) : undefined) }, 0);
  expect(failure?.what).toMatch(/50 ms/);
});

test('what makes far more of an input than that is, and what it leaves behind', async () => {
  const [large] = await found({ decode: () => 'x'.repeat(2 << 20) }, 1);
  expect(large?.what).toMatch(/far more/);
  const kept: Buffer[] = [];
  const [leak] = await found({ decode: () => void kept.push(Buffer.alloc(200_000)) }, 700);
  expect(leak?.what).toMatch(/more and more memory/);
});

test('a value that is another one once it is written', async () => {
  const [failure] = await found({
    decode: (input) => Number(input.length),
    encode: (value) => Buffer.alloc(Number(value) + 1),
  });
  expect(failure?.what).toMatch(/another value/);
});

test('the same seed makes the same inputs, and another one others', () => {
  const made = (seed: number) =>
    Array.from({ length: 50 }, (_, at) => makeInput(sound, diceOf('x', seed, at)).toString('base64'));
  expect(made(1)).toEqual(made(1));
  expect(made(1)).not.toEqual(made(2));
});

test('mutations get deep: most leave JSON that is JSON', () => {
  const inputs = Array.from({ length: 500 }, (_, at) => makeInput(sound, diceOf('x', 1, at)));
  const valid = inputs.filter((input) => {
    try {
      return JSON.parse(input.toString('utf8')) !== undefined;
    } catch {
      return false;
    }
  });
  expect(valid.length).toBeGreaterThan(250);
});

test('one input again, as a failure names it', async () => {
  const input = Buffer.from('certname').toString('base64');
  expect(await fuzzDecoders({ decoder: 'fact-path', runs: 1, seed: 1, input })).toBe(0);
  expect(await fuzzDecoders({ decoder: 'nobody', runs: 1, seed: 1 })).toBe(2);
  expect(await tryInput(sound, Buffer.from('{'))).toEqual({ end: 'refused' });
});
