/** `--where` on a controller: facts of the inventory or PuppetDB, classes of PuppetDB or the agents, and who cannot be judged. */
import { expect, test } from 'vitest';
import { parseWhere } from '../../src/conditions/where.ts';
import type { HostSources } from '../../src/controller/targeting/host-sources.ts';
import type { AgentStatus } from '../../src/protocol/status.ts';
import { factValuesOf } from '../support/fact-values.ts';
import { choose, databaseOf, namesOf, nobody, warnings } from './choosing.ts';

const where = (...texts: string[]) => ({ wheres: texts.map(parseWhere) });

const [WEB1, WEB2, DB1] = ['web1.example.com', 'web2.example.com', 'db1.elsewhere.org'];

test('without a name it chooses among all hosts; with names among these; several must all hold', async () => {
  expect(await namesOf([], where('os.family=Debian or cpus=4'))).toEqual([DB1, WEB1]);
  expect(await namesOf([], where('not os.family=Debian and not cpus=4'))).toEqual([
    WEB2,
    'web10.example.com',
  ]);
  expect(await namesOf(['web*'], where('os.family~.'))).toEqual([WEB1]);
  expect(await namesOf([], where('os.family~.', 'cpus>=4'))).toEqual([WEB1]);
  await expect(namesOf([], where('cpus=5'))).rejects.toThrow(/nobody is left/);
});

test('a fact that nobody has is most likely a typo; what cannot be compared is left out, and it is said', async () => {
  const inventory = {
    targets: [
      { name: WEB1, facts: { size: 'large' } },
      { name: WEB2, facts: { size: 3 } },
    ],
  };
  expect(await namesOf([], where('size>2 or sise>2'), { inventory })).toEqual([WEB2]);
  expect(warnings).toEqual([
    '--where: sise>2: no host has this fact',
    `--where size>2 or sise>2: cannot be judged on 1 host, left out: ${WEB1}`,
  ]);
});

test('PuppetDB answers for facts and classes; no agent is asked', async () => {
  const sources = databaseOf({
    active: async () => [WEB1, WEB2, DB1],
    factValues: factValuesOf({ [WEB1]: { os: { family: 'Debian' } }, [WEB2]: { os: { family: 'Debian' } } }),
    byClass: async (name) => (name === 'apache' ? [WEB1] : []),
  });
  const chosen = (text: string) => namesOf([], where(text), { sources });
  expect(await chosen('os.family=Debian and not class(apache)')).toEqual([WEB2]);
  expect(await chosen('not os.family=Debian or class(apache)')).toEqual([WEB1, DB1]);
});

test('without PuppetDB only those agents are asked for whom the facts do not decide it', async () => {
  const asked: string[] = [];
  const classes: Record<string, string[] | undefined> = { [WEB1]: ['apache'], [WEB2]: undefined };
  const sources: HostSources = {
    ...nobody,
    async askAgents(targets) {
      asked.push(...targets.map(({ certname }) => certname));
      return targets.map((target) =>
        target.certname === 'web10.example.com'
          ? { target, error: 'refused' }
          : { target, status: { classes: classes[target.certname] } as AgentStatus },
      );
    },
  };
  const chosen = await choose([], where('os.family=Debian or class(apache)'), { sources });
  expect(asked).toEqual([WEB1, WEB2, 'web10.example.com']);
  expect(chosen.targets.map(({ certname }) => certname)).toEqual([DB1, WEB1]);
  expect(chosen.unanswered.map(({ target, error }) => [target.certname, error])).toEqual([
    [WEB2, expect.stringMatching(/its classes are not known/)],
    ['web10.example.com', 'refused'],
  ]);
});
