/** `--where` as an agent judges it (discovery): by Puppet's own facts and classes; what is not known decides nothing. */
import { expect, test } from 'vitest';
import { type HostSource, judgeHost } from '../../src/agent/discovery/judge-host.ts';
import type { AgentStatus } from '../../src/protocol/status.ts';

function sourceOf({ facts, classes }: { facts?: object; classes?: string[] }): HostSource {
  return {
    facts: async () => (facts === undefined ? { why: 'Puppet has sent none yet' } : { facts }),
    status: async () => ({ classes }) as AgentStatus,
    version: '0.1.0',
  };
}

const KNOWN = { facts: { os: { family: 'Debian' }, tags: ['x'] }, classes: ['apache'] };

test.each<[string, object, string]>([
  ['os.family=Debian and class(apache)', KNOWN, 'yes'],
  ['os.family=Debian and not class(apache)', KNOWN, 'no'],
  ['os.family=Debian or class(apache)', { classes: ['apache'] }, 'yes'],
  ['os.family=Debian and class(nginx)', { classes: ['apache'] }, 'no'],
  ['os.family=Debian and class(apache)', { classes: ['apache'] }, 'unclear'],
  ['os.family=Debian and class(apache)', { facts: KNOWN.facts }, 'unclear'],
  ['tags>3', KNOWN, 'unclear'],
  ['os.family=', KNOWN, 'unclear'],
])('%j of %j is %s', async (text, source, is) => {
  expect(await judgeHost({ where: [text] }, sourceOf(source))).toMatchObject({ is });
});

test('why it cannot be judged is said; an expression and other conditions must all hold', async () => {
  const asks = { where: ['class(apache)'], facts: ['os.family=RedHat'] };
  expect(await judgeHost(asks, sourceOf(KNOWN))).toEqual({ is: 'no' });
  const unknown = await judgeHost({ where: ['os.family=x'] }, sourceOf({}));
  expect(unknown).toEqual({ is: 'unclear', why: 'Puppet has sent none yet' });
  const long = await judgeHost({ where: ['a=1 or '.repeat(500)] }, sourceOf(KNOWN));
  expect(long.is).toBe('unclear');
});
