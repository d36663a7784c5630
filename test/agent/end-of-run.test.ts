/** How things were when a run ended decides, and not how they are when it is judged. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNotifier } from '../../src/agent/requests/notifier.ts';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import { followRun } from '../../src/agent/runs/live-run.ts';
import type { RunRecord } from '../../src/agent/runs/run-record.ts';
import { openRunStore, type RunStore } from '../../src/agent/runs/run-store.ts';
import { startWrapper } from '../../src/agent/runs/wrapper.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { bootId, identify } from '../../src/util/proc.ts';
import { tempFolder } from '../support/temp.ts';
import { fixture } from './harness.ts';

const RUN = '0199e9a0-0000-7000-8000-000000000001';

/**
 * A run of the stand-in in its wrapper, to its end, with no agent there; judged when `judge` is called. `programs` come first
 * in its PATH.
 */
async function ended(
  line: string,
  files: Record<string, string> = {},
  programs: Record<string, string> = {},
) {
  const folder = tempFolder();
  const [dir, bin] = [join(folder, 'puppet'), join(folder, 'bin')];
  for (const path of [dir, bin]) mkdirSync(path);
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(bin, name), text, { mode: 0o755 });
  mkdirSync(join(folder, 'live'));
  mkdirSync(join(folder, 'settled'));
  copyFileSync(fixture('fake-puppet'), join(dir, 'puppet'));
  for (const [name, text] of Object.entries({ script: `${line}\n`, 'puppet.conf': '', ...files })) {
    writeFileSync(join(dir, name), text);
  }
  const runs = openRunStore(join(folder, 'live'), join(folder, 'settled'));
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [], log: silentLog },
  });
  const action = { op: 'run' } as const;
  const by = { user: 'u', uid: 0, host: 'h' };
  const { argv, env, puppet } = await runner.plan({ run: RUN, dir: runs.liveDir(RUN), action });
  const record: RunRecord = {
    ...{ run: RUN, boot: bootId(), action, createdAt: Date.now(), by, job: RUN },
    ...(puppet !== undefined && { puppet }),
  };
  await runs.create(record);
  const wrapper = await startWrapper(runs.liveDir(RUN), join(folder, 'run.lock'), {
    ...{ argv, puppet, env: { ...env, PATH: `${bin}:${env['PATH']}` } },
  });
  if (typeof wrapper === 'string') throw new Error(wrapper);
  wrapper.release();
  await wrapper.ended;
  const deps = {
    ...{ runs, runner, notifier: createNotifier() },
    ...{ clock: systemClock, log: silentLog, killGraceMs: 100 },
  };
  return {
    /** Of the run. */
    dir: runs.liveDir(RUN),
    /** Puppet's own report. */
    own: join(dir, 'last_run_report.yaml'),
    lock: join(dir, 'agent_disabled.lock'),
    runs,
    files: () => runs.wrapperFiles(RUN),
    /** By an agent that comes back. */
    judge: (parts: Partial<RunStore> = {}) =>
      followRun({ ...record, wrapper: wrapper.process }, { ...deps, runs: { ...runs, ...parts } }).ended,
    /** By one that finds `wrapperFiles`, for which this process is the wrapper until `wrapperEnded`. */
    follow: (wrapperFiles: typeof runs.wrapperFiles, wrapperEnded: Promise<void>) =>
      followRun(
        { ...record, wrapper: identify(process.pid) },
        { ...deps, runs: { ...runs, wrapperFiles } },
        { wrapperEnded },
      ).ended,
  };
}

const DISABLED = '{"disabled_message":"kernel"}';
/** The stand-in is disabled while it runs: after the gate, before it looks. */
const disable = `echo '${DISABLED}' >"$dir/agent_disabled.lock"`;

test('Puppet that was disabled when it ended is disabled, though it has been enabled before it is judged', async () => {
  const { lock, judge } = await ended('bare 1', { hook: disable });
  rmSync(lock);
  expect(await judge()).toMatchObject({ outcome: 'disabled', message: 'kernel' });
});

test('Puppet that failed while no agent was there has failed, though it was disabled before it is judged', async () => {
  const { lock, judge } = await ended('bare 1', { console: 'Error: boom\n' });
  writeFileSync(lock, DISABLED);
  expect(await judge()).toMatchObject({ outcome: 'failed', error: { message: 'Error: boom' } });
});

/** A `head` that finds the lock gone where the wrapper has just seen it. */
const GONE = `#!/bin/sh
for last; do :; done
case $last in *agent_disabled.lock) rm "$last"; exit 1 ;; esac
exec /usr/bin/head "$@"
`;

test('Puppet that was enabled while its end was noted is disabled in its own words', async () => {
  const skipped = "Skipping run; administratively disabled (Reason: 'kernel');\nUse 'puppet agent --enable'";
  const words = `${JSON.stringify({ level: 'notice', message: skipped, source: 'Puppet' })}\n`;
  const { files, judge } = await ended('bare 1', { hook: disable, words }, { head: GONE });
  expect((await files()).notes).toMatchObject({ isDisabled: false });
  expect(await judge()).toMatchObject({
    outcome: 'disabled',
    message: expect.stringMatching(/\(Reason: 'kernel'\).*it has been enabled since/),
  });
});

test.each([
  ['an empty file', ': >"$dir/agent_disabled.lock"', 'no reason given'],
  ['a directory', 'mkdir "$dir/agent_disabled.lock"', 'no reason given'],
  ['a named pipe', 'mkfifo "$dir/agent_disabled.lock"', 'no reason given'],
])('%s disables, too, and holds up no wrapper', async (_what, hook, message) => {
  const { judge } = await ended('bare 1', { hook });
  expect(await judge()).toMatchObject({ outcome: 'disabled', message });
});

const failing = (code: string) => Object.assign(new Error(code), { code });

test.each(['EROFS', 'EIO'])('events that could not be stored (%s) count as dropped output', async (code) => {
  const { judge, runs } = await ended('2 changed true');
  let tries = 0;
  const append: typeof runs.append = async (...events) => {
    tries += 1;
    if (tries === 1) throw failing(code);
    return runs.append(...events);
  };
  expect(await judge({ append })).toMatchObject({ outcome: 'changed' });
  expect((await runs.events(RUN)).events.map(({ type }) => type)).toContain('dropped');
});

test('a run that could not be followed is what its report says', async () => {
  const { judge } = await ended('2 changed true');
  const append = async () => {
    throw failing('EMFILE');
  };
  expect(await judge({ append })).toMatchObject({ outcome: 'changed', exit: 2 });
});

test.each([
  ['EROFS', ''],
  ['EMFILE', ''],
  ['EROFS', 'echo 1 >"$dir/agent_catalog_run.lock"'],
  ['EMFILE', disable],
])(
  'a run of which the words are lost (%s) was not silent: they may have been the reason',
  async (code, hook) => {
    const { judge } = await ended('bare 1', { console: 'Error: boom\n', hook });
    const append = async () => {
      throw failing(code);
    };
    expect(await judge({ append })).toMatchObject({
      outcome: 'failed',
      message: 'it ended with exit code 1, and some of what it printed is lost',
    });
  },
);

test('a run whose report has become another is what Puppet itself has of it, and damaged without that', async () => {
  const { dir, own, judge } = await ended('2 changed true');
  const copy = join(dir, 'report.yaml');
  const edit = (text: string) => text.replace('transaction_completed: true', 'transaction_completed: false');
  writeFileSync(copy, edit(readFileSync(copy, 'utf8')));
  expect(await judge()).toMatchObject({ outcome: 'changed' });
  writeFileSync(own, edit(readFileSync(own, 'utf8')));
  const damaged = {
    outcome: 'failed',
    message: 'the record is damaged: the report of the run cannot be read',
  };
  expect(await judge()).toMatchObject(damaged);
  for (const path of [copy, own]) rmSync(path);
  expect(await judge()).toMatchObject(damaged);
  rmSync(join(dir, 'report.sum'));
  expect(await judge()).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('no report of it was found'),
  });
});

test.each(['', '{', '{"v":1,"outcome":"cancelled"'])(
  'a run that was to end, nobody can read why any more ("%s"), is damaged and not merely interrupted',
  async (text) => {
    const { dir, judge } = await ended('bare 143');
    writeFileSync(join(dir, 'intention.json'), text);
    for (const _again of [1, 2])
      expect(await judge()).toMatchObject({
        outcome: 'failed',
        message: 'the record is damaged: why the run was ended cannot be read',
      });
  },
);

test('a signal to the whole session is seen by the wrapper, too', async () => {
  const hook = 'trap "" TERM; kill -TERM 0';
  const { files, judge } = await ended('bare 1', { hook });
  expect((await files()).notes).toMatchObject({ caught: ['SIGTERM'], isDisabled: false });
  expect(await judge()).toMatchObject({ outcome: 'interrupted', message: 'it was ended by SIGTERM' });
});

test('the notes of a run that nobody touched are empty, and a wrapper of an older version has none', async () => {
  const { files, judge, lock } = await ended('bare 1', { console: 'x\n' });
  const { exit, notes } = await files();
  expect([exit, notes]).toEqual([
    1,
    { at: expect.any(Number), caught: [], isLocked: false, isDisabled: false },
  ]);
  const path = join(lock, '..', '..', 'live', RUN, 'exit');
  expect(readFileSync(path, 'utf8')).toMatch(/^1\ncaught\n *\n$/);
  writeFileSync(path, '1\n');
  expect(await files()).not.toHaveProperty('notes');
  writeFileSync(lock, DISABLED);
  expect(existsSync(lock)).toBe(true);
  expect(await judge()).toMatchObject({ outcome: 'disabled' });
});

test('`started` comes before what Puppet printed, though it begins between two looks', async () => {
  const { runs, follow } = await ended('bare 1', { console: 'Notice: one\n' });
  let over = () => {};
  const wrapperEnded = new Promise<void>((resolve) => {
    over = resolve;
  });
  let looks = 0;
  const wrapperFiles: typeof runs.wrapperFiles = async (...of) => {
    const files = await runs.wrapperFiles(...of);
    const { started: _, ...before } = files;
    looks += 1;
    return looks === 1 ? before : files;
  };
  const end = follow(wrapperFiles, wrapperEnded);
  const types = async () => (await runs.events(RUN)).events.map(({ type }) => type);
  await expect.poll(types).toContain('log');
  over();
  await end;
  expect((await types()).slice(0, 2)).toEqual(['started', 'log']);
});
