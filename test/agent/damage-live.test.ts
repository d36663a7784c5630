/** DESIGN 8, "What is kept": files that are damaged while an agent serves, or under a run that goes on without one. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quarantined } from '../../src/util/quarantine.ts';
import { damages } from '../support/damages.ts';
import { elsewhere, listening, serves } from './damaged-place.ts';
import { command, type Kicked, kick, peerOf, requestOf, resume, sealed, startAgent } from './harness.ts';
import { runDirOf } from './rebooted.ts';

const damaged = { outcome: 'failed', message: expect.stringMatching(/^the record is damaged: /) };

function damage(what: string, path: string): void {
  const found = damages(elsewhere(), { seed: 1 }).find((one) => one.what === what);
  if (found === undefined) throw new Error(`no such damage: ${what}`);
  found.apply(path);
}

/** An agent in the middle of a run, which ends once `go` is called; each run takes one `go`. */
async function inARun() {
  const folder = elsewhere();
  const [journal, gate] = [join(folder, 'journal'), join(folder, 'gate')];
  const { log, said } = listening();
  const start = () => startAgent(folder, { runner: command('until-taken', journal, gate), log });
  const agent = await start();
  const run = await kick(agent);
  const { run: id = '' } = await run.until('started');
  await run.until('log');
  return { folder, agent, run, id, start, said, go: () => writeFileSync(gate, '') };
}

function requestDirOf(folder: string, { job }: Kicked): string {
  const requests = join(folder, 'state', 'requests');
  const [name = ''] = readdirSync(requests).filter((one) => one.startsWith(job));
  return join(requests, name);
}

test.each([
  ['record.json', 'a pipe', {}],
  ['record.json', 'missing', {}],
  ['started', 'missing', {}],
  ['started', 'garbage', {}],
  ['events.ndjson', 'a folder', {}],
  ['output', 'a pipe', {}],
  ['run.json', 'zeros', damaged],
  ['run.json', 'missing', damaged],
  ['request.json', 'garbage', damaged],
  ['request.json and record.json', 'a link to itself', damaged],
])(
  'a run goes on whose %s is damaged (%s) while no agent is there: no other begins beside it',
  async (files, what, end) => {
    const { folder, agent, run, id, start, said, go } = await inARun();
    await agent.stop();
    for (const file of files.split(' and ')) {
      const isOfRequest = file === 'run.json' || file === 'request.json';
      damage(
        what,
        join(isOfRequest ? requestDirOf(folder, run) : runDirOf({ runDir: join(folder, 'run') }), file),
      );
    }
    const next = await start();
    const late = await kick(next, requestOf({ action: { op: 'run', runTimeout: 999 } }));
    await late.until('waiting');
    go();
    const finished = await (await resume(next, run.job)).finished;
    expect(finished).toMatchObject('outcome' in end ? end : { outcome: 'changed', exit: 2 });
    await late.until('started');
    go();
    expect(await late.finished).toMatchObject({ outcome: 'changed' });
    expect([run.job, id].some((name) => said().includes(name))).toBe(true);
  },
);

test.each(['request.json', 'events.ndjson', 'waiting'])(
  'a request that waits while its %s is damaged gets its run, and its end',
  async (file) => {
    const { folder, agent, run, go } = await inARun();
    const waiting = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 999 } }));
    await waiting.until('waiting');
    damage('a pipe', join(requestDirOf(folder, waiting), file));
    go();
    expect(await run.finished).toMatchObject({ outcome: 'changed' });
    const again = await resume(agent, waiting.job);
    await again.until('started');
    go();
    expect(await again.finished).toMatchObject({ outcome: 'changed' });
  },
);

test('a run whose events and intention are damaged while it goes on is followed and can be cancelled', async () => {
  const { folder, agent, run } = await inARun();
  const dir = runDirOf({ runDir: join(folder, 'run') });
  damage('a pipe', join(dir, 'events.ndjson'));
  mkdirSync(join(dir, 'intention.json'));
  await agent.command(await sealed(requestOf({ action: { op: 'cancel', job: run.job } })), peerOf());
  expect(await (await resume(agent, run.job)).finished).toMatchObject({ outcome: 'cancelled' });
  expect(await quarantined(join(folder, 'run'))).toHaveLength(2);
});

test('a request that is over is damaged while the agent serves: who asks is told, and it is not run again', async () => {
  const folder = elsewhere();
  const { log, said } = listening();
  const agent = await startAgent(folder, { runner: command('ok'), log });
  const files = ['request.json', 'run.json', 'events.ndjson of its run', 'the events of its run, cut'];
  for (const file of files) {
    const request = requestOf();
    const one = await kick(agent, request);
    const { run = '' } = await one.finished;
    const dir = requestDirOf(folder, one);
    const ofRun = join(folder, 'state', 'runs', run, 'events.ndjson');
    damage(
      file.includes('cut') ? 'the last 2 bytes cut off' : 'a pipe',
      file.endsWith('.json') ? join(dir, file) : ofRun,
    );
    for (const asked of [await resume(agent, one.job), await kick(agent, request)])
      expect(await asked.finished, file).toMatchObject(damaged);
  }
  await serves(agent);
  await agent.stop();
  const next = await startAgent(folder, { runner: command('ok'), log });
  await serves(next);
  expect((await quarantined(join(folder, 'state'))).length).toBeGreaterThanOrEqual(files.length);
  expect(said()).toContain('cannot be used, and is set aside');
});

test('files that nobody knows, wherever they are, are left alone, and a request in the place of its folder is damaged', async () => {
  const folder = elsewhere();
  const { log, said } = listening();
  const first = await startAgent(folder, { runner: command('ok') });
  const one = await kick(first);
  await one.finished;
  const dir = requestDirOf(folder, one);
  await first.stop();
  const places = ['state', 'state/requests', 'state/runs', 'run', 'run/runs'].map((path) =>
    join(folder, path),
  );
  for (const place of places) {
    writeFileSync(join(place, 'notes.txt'), 'mine');
    mkdirSync(join(place, 'lost+found'));
    damage('a pipe', touched(join(place, 'pipe')));
    damage('a link to itself', touched(join(place, '.loop')));
  }
  rmSync(dir, { recursive: true });
  damage('a link to itself', touched(dir));
  const agent = await startAgent(folder, { runner: command('ok'), log });
  expect(await (await resume(agent, one.job)).finished).toMatchObject(damaged);
  await serves(agent);
  for (const place of places)
    expect(readdirSync(place)).toEqual(expect.arrayContaining(['notes.txt', 'lost+found', 'pipe']));
  expect(said()).toContain('requests/notes.txt');
});

function touched(path: string): string {
  writeFileSync(path, '');
  return path;
}
