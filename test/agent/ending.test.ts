/** A run that somebody ends: why is known to who ends it, whatever becomes of the file that says so. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNotifier } from '../../src/agent/requests/notifier.ts';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import { followRun } from '../../src/agent/runs/live-run.ts';
import { openRunStore, type RunStore } from '../../src/agent/runs/run-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { bootId, identify } from '../../src/util/proc.ts';
import { afterwards } from '../support/afterwards.ts';
import { tempFolder } from '../support/temp.ts';

const RUN = '0199e9a0-0000-7000-8000-000000000001';
const WHY = { outcome: 'cancelled', message: 'an operator cancelled it' } as const;

const failing = (code: string) => Object.assign(new Error(code), { code });

/** A run in progress, followed; `hasBegun`: its Puppet is a process that sleeps, and else its wrapper is. */
async function inProgress(
  { hasBegun, timeLimitMs = 3_600_000 }: { hasBegun: boolean; timeLimitMs?: number },
  parts: (runs: RunStore, dir: string) => Partial<RunStore>,
) {
  const folder = tempFolder();
  for (const name of ['live', 'settled']) mkdirSync(join(folder, name));
  const runs = openRunStore(join(folder, 'live'), join(folder, 'settled'));
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  afterwards(() => child.kill('SIGKILL'));
  const sleeper = identify(child.pid ?? expect.fail()) ?? expect.fail();
  const record = {
    ...{
      run: RUN,
      job: RUN,
      boot: bootId(),
      action: { op: 'run' as const },
      createdAt: Date.now(),
      timeLimitMs,
    },
    ...{ by: { user: 'u', uid: 0, host: 'h' }, [hasBegun ? 'inner' : 'wrapper']: sleeper },
  };
  await runs.create(record);
  const dir = runs.liveDir(RUN);
  if (hasBegun) writeFileSync(join(dir, 'started'), `${sleeper.pid} ${sleeper.start}\n`);
  const runner = puppetAgentRunner({
    ...{ puppet: 'none', path: '', stateDir: folder },
    ...{ runEnvironment: {}, environmentFiles: [], log: silentLog },
  });
  const live = followRun(record, {
    ...{ runs: { ...runs, ...parts(runs, dir) }, runner, notifier: createNotifier() },
    ...{ clock: systemClock, log: silentLog, killGraceMs: 100 },
  });
  return { live, child };
}

test('one that cannot be read any more', async () => {
  const { live } = await inProgress({ hasBegun: true }, (runs, dir) => ({
    async intend(...given) {
      await runs.intend(...given);
      writeFileSync(join(dir, 'intention.json'), '{');
    },
  }));
  await live.stop(WHY);
  expect(await live.ended).toMatchObject(WHY);
});

test('one that could not be written, of a run that has not begun', async () => {
  const { live, child } = await inProgress({ hasBegun: false }, () => ({
    async intend() {
      throw failing('ENOSPC');
    },
  }));
  const stopped = live.stop(WHY);
  child.kill('SIGKILL');
  await stopped;
  expect(await live.ended).toMatchObject(WHY);
});

test('who cannot end a run, for want of a file descriptor, may try again', async () => {
  let isShort = true;
  const { live } = await inProgress({ hasBegun: true }, (runs) => ({
    async intend(...given) {
      if (isShort) throw failing('EMFILE');
      await runs.intend(...given);
    },
  }));
  await live.stop(WHY);
  isShort = false;
  await live.stop(WHY);
  expect(await live.ended).toMatchObject(WHY);
});

/** Its output, of which there is some, cannot be stored. */
function unfollowed(onTry = () => {}) {
  return (_runs: RunStore, dir: string): Partial<RunStore> => {
    writeFileSync(join(dir, 'output'), 'words\n');
    return {
      async append() {
        onTry();
        throw failing('EMFILE');
      },
    };
  };
}

test('one that cannot be followed is ended at its time limit all the same', async () => {
  const { live } = await inProgress({ hasBegun: true, timeLimitMs: 1 }, unfollowed());
  expect(await live.ended).toMatchObject({ outcome: 'timed-out' });
});

test('one that cannot be followed holds up no agent that is to stop', async () => {
  let onTry = () => {};
  const tried = new Promise<void>((resolve) => {
    onTry = resolve;
  });
  const { live, child } = await inProgress(
    { hasBegun: true },
    unfollowed(() => onTry()),
  );
  await tried;
  live.leave();
  expect(await live.ended).toBe('left');
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
});
