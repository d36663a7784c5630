/** Every decoder of what others write, and of what kick stores: a few inputs of a fixed seed, and of one of this commit. */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { DECODERS } from '../../tools/fuzz/decoders/all.ts';
import { failureText, inputFolder } from '../../tools/fuzz/decoders/command.ts';
import { fuzzDecoder } from '../../tools/fuzz/decoders/fuzz-decoder.ts';

/** Of each decoder and seed. */
const RUNS = 25;

/** Others are tried with each commit, and those of a commit again; where there is no repository, with each day. */
function seedOfCommit(): number {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] });
    return Number.parseInt(commit.toString().slice(0, 7), 16);
  } catch {
    return Math.floor(Date.now() / 86_400_000);
  }
}

const seeds = [1, seedOfCommit()];
console.log(`seeds ${seeds.join(' and ')}`);

test.each(DECODERS)('$name: only declared errors, in bounded time and memory', async (decoder) => {
  const { path: folder, remove } = inputFolder();
  onTestFinished(remove);
  for (const seed of seeds) {
    const { failures, decoded, inputs } = await fuzzDecoder(decoder, { runs: RUNS, seed, folder });
    expect(failures.map((one) => failureText(decoder.name, seed, one))).toEqual([]);
    // Its samples are decoded, and what is changed gets that far as well.
    expect(decoded).toBeGreaterThan(0);
    expect(inputs).toBeGreaterThan(RUNS);
  }
});

test('each has a name of its own, and says what it reads', () => {
  const names = DECODERS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(DECODERS.filter(({ about }) => about.length < 10)).toEqual([]);
});
