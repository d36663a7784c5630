/** Facts for discovery: asked for in the background, at most once an hour, never twice at once. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHostFacts } from '../../src/agent/discovery/host-facts.ts';
import { silentLog } from '../../src/util/log.ts';
import { deferred } from '../support/deferred.ts';
import { tempFolder } from '../support/temp.ts';

const HOUR_MS = 3_600_000;

function here(ask: (() => Promise<Record<string, unknown>>) | undefined) {
  const path = join(tempFolder(), 'facts.json');
  const time = { ms: Date.now() };
  const clock = { now: () => time.ms, monotonic: () => time.ms };
  const open = () => createHostFacts({ path, ask, clock, log: silentLog });
  return { path, time, open };
}

test('Puppet is asked once an hour, and answers are from what it said last', async () => {
  let asked = 0;
  const { time, open, path } = here(async () => ({ asked: ++asked }));
  const host = open();
  expect(await host.facts()).toMatchObject({ why: expect.stringMatching(/not known yet/) });
  await host.settled();
  for (let i = 0; i < 5; i++) expect(await host.facts()).toEqual({ facts: { asked: 1 } });
  time.ms += HOUR_MS + 1;
  expect(await host.facts()).toEqual({ facts: { asked: 1 } });
  await host.settled();
  expect(await host.facts()).toEqual({ facts: { asked: 2 } });
  // An agent that is restarted knows them.
  expect(await open().facts()).toEqual({ facts: { asked: 2 } });
  expect(existsSync(path)).toBe(true);
  expect(asked).toBe(2);
});

test('never two at once, however many ask and however long it takes', async () => {
  const said = deferred<Record<string, unknown>>();
  let asked = 0;
  const { time, open } = here(() => {
    asked += 1;
    return said.promise;
  });
  const host = open();
  for (let i = 0; i < 5; i++) {
    await host.facts();
    time.ms += HOUR_MS + 1;
  }
  said.resolve({ role: 'web' });
  await host.settled();
  expect(asked).toBe(1);
});

test('where Puppet says nothing the reason is told, and it is not asked again within the hour', async () => {
  let asked = 0;
  const { time, open } = here(async () => {
    asked += 1;
    throw new Error('it did not end within 120 s');
  });
  const host = open();
  await host.facts();
  await host.settled();
  expect(await host.facts()).toEqual({ why: 'its facts are not known: it did not end within 120 s' });
  expect(asked).toBe(1);
  time.ms += HOUR_MS + 1;
  await host.facts();
  await host.settled();
  expect(asked).toBe(2);
});

test('a damaged file is no facts, and is replaced', async () => {
  const { open, path } = here(async () => ({ role: 'db' }));
  for (const text of ['', '{}', '[]', '{"v":1,"at":"x","facts":{}}', '{"v":99}']) {
    writeFileSync(path, text);
    const host = open();
    expect(await host.facts()).toHaveProperty('why');
    await host.settled();
    expect(await host.facts()).toEqual({ facts: { role: 'db' } });
  }
  expect(readFileSync(path, 'utf8')).toMatch(/"sum":/);
});

test('a runner without facts says so', async () => {
  expect(await here(undefined).open().facts()).toMatchObject({ why: expect.stringMatching(/is not Puppet/) });
});
