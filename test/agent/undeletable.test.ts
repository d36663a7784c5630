/** What cannot be removed (a mount, an immutable file, a fault of the disk) holds up nobody, and no outcome is lost. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../src/util/log.ts';
import { openQuarantine } from '../../src/util/quarantine.ts';
import { canSet, setImmutable } from '../support/immutable.ts';
import { tempFolder } from '../support/temp.ts';
import { listening, serves } from './damaged-place.ts';
import { command, kick, requestOf, resume, startAgent } from './harness.ts';
import { runDirOf } from './rebooted.ts';

/** An agent in the middle of a run, which ends once `go` is called; another request waits. */
async function inARun() {
  const folder = tempFolder();
  const [journal, gate] = [join(folder, 'journal'), join(folder, 'gate')];
  const { log, said } = listening();
  const start = () => startAgent(folder, { runner: command('until-taken', journal, gate), log });
  const agent = await start();
  const running = await kick(agent);
  await running.until('started');
  const waiting = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 999 } }));
  await waiting.until('waiting');
  const requestDir = (job: string) => {
    const requests = join(folder, 'state', 'requests');
    return join(requests, readdirSync(requests).find((name) => name.startsWith(job)) ?? '');
  };
  return { folder, agent, running, waiting, requestDir, start, said, go: () => writeFileSync(gate, '') };
}

test.skipIf(!canSet)('the folder of a run that is over cannot be removed: the next run begins', async () => {
  const { folder, agent, running, waiting, start, said, go } = await inARun();
  expect(setImmutable(folder, join(runDirOf({ runDir: join(folder, 'run') }), 'started'))).toBe(true);
  go();
  expect(await running.finished).toMatchObject({ outcome: 'changed' });
  await waiting.until('started');
  go();
  expect(await waiting.finished).toMatchObject({ outcome: 'changed' });
  await agent.stop();
  const next = await start();
  for (const { job } of [running, waiting])
    expect(await (await resume(next, job)).finished).toMatchObject({ outcome: 'changed' });
  expect(said()).toContain('it cannot be removed');
});

test.skipIf(!canSet)(
  'the mark of a request that waits cannot be removed: it gets its run, and its end',
  async () => {
    const { folder, agent, waiting, requestDir, start, go } = await inARun();
    expect(setImmutable(folder, join(requestDir(waiting.job), 'waiting'))).toBe(true);
    go();
    await waiting.until('started');
    go();
    expect(await waiting.finished).toMatchObject({ outcome: 'changed' });
    await agent.stop();
    expect(await (await resume(await start(), waiting.job)).finished).toMatchObject({ outcome: 'changed' });
  },
);

test.skipIf(!canSet)(
  'the folder of requests is immutable: the agent starts and tells, and accepts nothing',
  async () => {
    const folder = tempFolder();
    const first = await startAgent(folder, { runner: command('ok') });
    const one = await kick(first);
    await one.finished;
    await first.stop();
    expect(setImmutable(folder, join(folder, 'state', 'requests'))).toBe(true);
    const agent = await startAgent(folder, { runner: command('ok') });
    expect(await (await resume(agent, one.job)).finished).toMatchObject({ outcome: 'unchanged' });
    await expect(kick(agent)).rejects.toMatchObject({ code: 'no-space' });
    spawnSync('chattr', ['-i', join(folder, 'state', 'requests')]);
    await serves(agent);
  },
);

test.skipIf(!canSet)(
  'what cannot be removed from the quarantine keeps nothing else out of it, nor in it',
  async () => {
    const root = tempFolder();
    const limits = { entries: 2, bytes: 100_000, fileBytes: 50_000 };
    let now = 1_700_000_000_000;
    const clock = { now: () => (now += 1000) };
    const quarantine = openQuarantine({ root, limits, clock, log: silentLog });
    for (const name of ['a', 'b', 'c', 'd']) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, 'file'), name);
      if (name === 'a') expect(setImmutable(root, join(root, name, 'file'))).toBe(true);
      expect(await quarantine.setAside(join(root, name), 'why')).toBe(true);
    }
    const left = readdirSync(join(root, 'quarantine')).map((name) => name.slice(-1));
    expect(left.sort()).toEqual(['a', 'c', 'd']);
  },
);
