/** The facts that discovery judges are those that the installed Puppet prints. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { askFacts } from '../../src/agent/puppet/ask-facts.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';

const hasPuppet = (() => {
  try {
    execFileSync('puppet', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const options = () => ({
  ...{ path: process.env['PATH'] ?? '', stateDir: tempFolder(), environmentFiles: [], log: silentLog },
  runEnvironment: { FACTER_role: 'web' },
});

test.skipIf(!hasPuppet)('real Puppet prints its facts, with those of the environment of runs', async () => {
  const facts = await askFacts(options(), { isService: true, maxBytes: 1 << 20 });
  expect(facts).toMatchObject({ kernel: 'Linux', role: 'web', os: { family: 'Debian' } });
});

test.skipIf(!hasPuppet)('more than is allowed is refused', async () => {
  await expect(askFacts(options(), { isService: false, maxBytes: 100 })).rejects.toThrow(
    /more than 100 bytes/,
  );
});
