/** DESIGN 14: a listener without rights and its helper, as the units start them, killed in the middle of runs. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anySignal, outcomeIn, readUntil, requestFor } from '../support/real-agent.ts';
import { separatedAgent } from '../support/separated-agent.ts';
import { tempFolder } from '../support/temp.ts';

const signal = anySignal();

test('a kick goes through the listener to the helper, and its events come back', async () => {
  const folder = tempFolder();
  const agent = await separatedAgent(folder, { command: ['/bin/sh', '-c', 'echo applied; exit 2'] });
  await agent.startHelper();
  await agent.startListener();
  const { job, body } = await requestFor(agent.controller);
  const events = [];
  for await (const event of await agent.sender.submit(agent.target(), body, { signal })) events.push(event);
  expect(events.at(-1)).toMatchObject({ type: 'finished', outcome: 'changed' });
  const lines = events.flatMap((event) => (event.type === 'log' ? event.lines : []));
  expect(lines).toContainEqual({ level: 'output', message: 'applied' });
  // Known now: what it was is told again.
  const again = await agent.sender.submit(agent.target(), body, { signal });
  expect(await readUntil(again, 'finished')).toMatchObject({ outcome: 'changed' });
  expect(await outcomeIn(agent.sender, agent.target(), job)).toMatchObject({ outcome: 'changed' });
  expect(await agent.sender.status(agent.target(), { signal })).toMatchObject({ waiting: 0 });
});

test.each(['listener', 'helper'] as const)(
  'kill -9 of the %s during a run: the run goes on, and is told',
  async (which) => {
    const folder = tempFolder();
    const gate = join(folder, 'gate');
    const begun = join(folder, 'begun');
    const script = `echo begin >>'${begun}'; while test ! -e '${gate}'; do sleep 0.05; done; exit 2`;
    const agent = await separatedAgent(folder, { command: ['/bin/sh', '-c', script] });
    const halves = { helper: await agent.startHelper(), listener: await agent.startListener() };
    const { job, body } = await requestFor(agent.controller);
    const stream = await agent.sender.submit(agent.target(), body, { signal });
    await readUntil(stream, 'started');
    await expect.poll(() => existsSync(begun)).toBe(true);
    await halves[which].kill('SIGKILL');
    writeFileSync(gate, '');
    await (which === 'helper' ? agent.startHelper() : agent.startListener());
    expect(await outcomeIn(agent.sender, agent.target(), job)).toMatchObject({ outcome: 'changed' });
    expect(readFileSync(begun, 'utf8')).toBe('begin\n');
    rmSync(gate);
  },
);
