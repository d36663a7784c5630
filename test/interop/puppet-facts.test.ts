/** The facts that discovery judges are those that the installed Puppet prints. */
import { expect, test } from 'vitest';
import { askFacts } from '../../src/agent/puppet/ask-facts.ts';
import { silentLog } from '../../src/util/log.ts';
import { isInstalled } from '../../tools/installed.ts';
import { tempFolder } from '../support/temp.ts';

const options = () => ({
  ...{ path: process.env['PATH'] ?? '', stateDir: tempFolder(), environmentFiles: [], log: silentLog },
  runEnvironment: { FACTER_role: 'web' },
});

test.runIf(isInstalled('puppet'))(
  'real Puppet prints its facts, with those of the environment of runs',
  async () => {
    const facts = await askFacts(options(), { isService: true, maxBytes: 1 << 20 });
    expect(facts).toMatchObject({ kernel: 'Linux', role: 'web', os: { family: 'Debian' } });
  },
);

test.runIf(isInstalled('puppet'))('more than is allowed is refused', async () => {
  await expect(askFacts(options(), { isService: false, maxBytes: 100 })).rejects.toThrow(
    /more than 100 bytes/,
  );
});
