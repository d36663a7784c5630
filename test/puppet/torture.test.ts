/** DESIGN 3 and 4 with a real Puppet that is killed and stopped in its runs: `npm run torture -- --puppet`. `KICK_TEST_FAULTS=2000` tries for longer. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { whyNot } from '../../tools/torture/namespaces.ts';

const faults = process.env['KICK_TEST_FAULTS'] ?? '12';
const seed = String(fc.readConfigureGlobal().seed ?? Date.now() % 1_000_000);

test.skipIf(whyNot() !== undefined)(
  `a host with a real Puppet keeps its promises through ${faults} faults (seed ${seed})`,
  () => {
    const [tsx, program] = [join(ROOT, 'node_modules/.bin/tsx'), join(ROOT, 'tools/torture/torture.ts')];
    // All of them need a run to be done to, so that there is one each time.
    const kinds = ['kill-run', 'end-run', 'stop-run'].flatMap((kind) => ['--kind', kind]);
    const words = ['--puppet', '1', '--hosts', '1', '--faults', faults, '--seed', seed, ...kinds];
    const { status, stdout, stderr } = spawnSync(tsx, [program, ...words], { encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
  },
);
