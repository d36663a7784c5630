/** DESIGN 8, "What is kept": the agent's files that are not of a single request, damaged in every way, and its quarantine. */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctorFacts } from '../../src/agent/doctor/facts.ts';
import { factFindings } from '../../src/controller/fleet/findings.ts';
import { systemClock } from '../../src/util/clock.ts';
import { holdKernelLock } from '../../src/util/kernel-lock.ts';
import { lockHolder, noteHolder } from '../../src/util/lock-file.ts';
import { quarantined } from '../../src/util/quarantine.ts';
import { damages } from '../support/damages.ts';
import { elsewhere, listening, serves } from './damaged-place.ts';
import { command, kick, peerOf, refusalOf, requestOf, resume, sealed, startAgent } from './harness.ts';

const SINGLE = ['store.json', 'schedule.json', 'agent-metrics.json'];

const pull = { runinterval: 3_600_000, splay: false, catalog: 'new', noop: false } as const;

test('the marker, the schedule and the counters, damaged in every way, stop no agent and begin anew', async () => {
  const folder = elsewhere();
  const { log, said } = listening();
  const options = { runner: command('ok'), log, metricsFile: join(folder, 'kick.prom') };
  const at = (name: string) => join(folder, 'state', name);
  const first = await startAgent(folder, options);
  first.setPull(pull);
  await serves(first);
  await first.stop();
  const whole = SINGLE.map((name) => [at(name), readFileSync(at(name))] as const);
  const all = damages(elsewhere(), { seed: 7 });
  for (const { what, apply } of all) {
    for (const [path, bytes] of whole) {
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, bytes);
      apply(path);
    }
    const agent = await startAgent(folder, options);
    await agent.stop();
    for (const name of ['store.json', 'agent-metrics.json'])
      expect(JSON.parse(readFileSync(at(name), 'utf8')), what).toHaveProperty('sum');
  }
  const last = await startAgent(folder, options);
  last.setPull(pull);
  await serves(last);
  for (const name of SINGLE) expect(said()).toContain(`${at(name)}"`);
  const aside = await quarantined(join(folder, 'state'));
  expect(aside.length).toBe(100);
  expect(new Set(aside)).toEqual(new Set(SINGLE));
  console.log(`${all.length * SINGLE.length} single files of an agent damaged, each in its own way`);
});

test('after its marker is damaged an agent refuses what was signed before', async () => {
  const folder = elsewhere();
  const first = await startAgent(folder, { runner: command('ok') });
  await first.stop();
  const old = Math.floor(Date.now() / 1000) - 200;
  const body = await sealed(requestOf({ iat: old, exp: old + 300 }));
  writeFileSync(join(folder, 'state', 'store.json'), '');
  const agent = await startAgent(folder, { runner: command('ok') });
  expect(await refusalOf(agent.submit(body, peerOf()))).toBe('expired');
});

test.each(['a file', 'a link', 'a pipe'])(
  'with %s in the place of the quarantine what is damaged stays where it is',
  async (what) => {
    const folder = elsewhere();
    const first = await startAgent(folder, { runner: command('ok') });
    const one = await kick(first);
    await one.finished;
    await first.stop();
    const state = join(folder, 'state');
    const other = join(elsewhere(), 'other');
    mkdirSync(other);
    if (what === 'a link') symlinkSync(other, join(state, 'quarantine'));
    else writeFileSync(join(state, 'quarantine'), '');
    const [name = ''] = readdirSync(join(state, 'requests'));
    writeFileSync(join(state, 'requests', name, 'request.json'), '{');
    writeFileSync(join(state, 'store.json'), '{');
    const agent = await startAgent(folder, { runner: command('ok') });
    expect((await (await resume(agent, one.job)).finished).message).toMatch(/^the record is damaged: /);
    await serves(agent);
    expect(readFileSync(join(state, 'requests', name, 'request.json'), 'utf8')).toBe('{');
    expect(readdirSync(other)).toEqual([]);
  },
);

test('kick doctor tells of what was set aside, and where', async () => {
  const folder = elsewhere();
  const { stop } = await startAgent(folder, { runner: command('ok') });
  await stop();
  const [stateDir, runDir] = [join(folder, 'state'), join(folder, 'run')];
  const facts = async () => doctorFacts({ stateDir, runDir, now: Date.now() });
  expect(await facts()).not.toHaveProperty('damaged');
  writeFileSync(join(stateDir, 'store.json'), 'x');
  await (await startAgent(folder, { runner: command('ok') })).stop();
  const found = await facts();
  expect(found.damaged).toEqual([{ path: join(stateDir, 'quarantine'), count: 1, latest: 'store.json' }]);
  expect(factFindings(found, Date.now()).filter(({ level }) => level === 'warning')).toEqual([
    {
      level: 'warning',
      what: `1 record of kick agent's that it cannot use in ${join(stateDir, 'quarantine')}: store.json`,
      next: expect.stringContaining('remove it'),
    },
  ]);
});

test('the locks of an agent: the record of its holder may be anything, and the file that is locked is a file or refused', async () => {
  const folder = elsewhere();
  const path = join(folder, 'agent');
  for (const { what, apply } of damages(elsewhere(), { seed: 9 })) {
    rmSync(`${path}.holder`, { recursive: true, force: true });
    await noteHolder(path, systemClock);
    apply(`${path}.holder`);
    await lockHolder(path, systemClock);
    await noteHolder(path, systemClock);
    expect(await lockHolder(path, systemClock), what).toContain(`pid ${process.pid}`);
    const lock = join(folder, 'flock');
    rmSync(lock, { recursive: true, force: true });
    writeFileSync(lock, 'x');
    apply(lock);
    const held = holdKernelLock(lock, { label: 'lock', holder: async () => 'nobody' });
    const isStrange = /^a (folder|pipe|socket|link)/.test(what);
    if (isStrange)
      await expect(held, what).rejects.toMatchObject({
        code: 'state',
        message: expect.stringContaining(lock),
      });
    else (await held).release();
  }
});
