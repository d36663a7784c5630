/**
 * DESIGN 3 and 4 under faults: `npm run torture` for a minute. `KICK_TEST_FAULTS=20000` tries for longer, `KICK_TEST_SEED` the
 * same faults again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { whyNot } from '../../tools/torture/namespaces.ts';

const faults = process.env['KICK_TEST_FAULTS'] ?? '80';
const seed = process.env['KICK_TEST_SEED'] ?? String(Date.now() % 1_000_000);

test.skipIf(whyNot() !== undefined)(
  `a site keeps its promises through ${faults} faults (seed ${seed})`,
  () => {
    const [tsx, program] = [join(ROOT, 'node_modules/.bin/tsx'), join(ROOT, 'tools/torture/torture.ts')];
    const { status, stdout, stderr } = spawnSync(tsx, [program, '--faults', faults, '--seed', seed], {
      encoding: 'utf8',
    });
    expect({ status, said: `${stdout}${stderr}` }).toMatchObject({
      status: 0,
      said: expect.stringMatching(/faults survived/),
    });
  },
);
