/**
 * DESIGN 3, 4 and 8 under faults: `npm run torture` for a minute. `KICK_TEST_FAULTS=20000` and `KICK_TEST_BYTES=100000` try for
 * longer, `KICK_TEST_SEED` the same faults again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { whyNot } from '../../tools/torture/namespaces.ts';

const faults = process.env['KICK_TEST_FAULTS'] ?? '60';
const bytes = process.env['KICK_TEST_BYTES'] ?? '1000';
const seed = String(fc.readConfigureGlobal().seed ?? Date.now() % 1_000_000);

function torture(...words: string[]): void {
  const [tsx, program] = [join(ROOT, 'node_modules/.bin/tsx'), join(ROOT, 'tools/torture/torture.ts')];
  const { status, stdout, stderr } = spawnSync(tsx, [program, ...words, '--seed', seed], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

test.skipIf(whyNot() !== undefined)(`a site keeps its promises through ${faults} faults (seed ${seed})`, () =>
  torture('--faults', faults),
);

test.skipIf(whyNot() !== undefined)(
  `an agent and a server start and tell the truth with ${bytes} damaged bytes of their files (seed ${seed})`,
  () => torture('--bytes', bytes),
);
