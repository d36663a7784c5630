/** Everything that a face does, through the controller's own methods: no command line, no terminal, one process. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import { loadOwnIdentity } from '../../src/config/identity.ts';
import { type Controller, openController } from '../../src/controller/controller.ts';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import type { JobWish } from '../../src/controller/plan-job.ts';
import type { Selection } from '../../src/controller/targeting/selection.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { systemClock } from '../../src/util/clock.ts';
import { deferred } from '../support/deferred.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { NOTHING_CHOSEN } from './choosing.ts';

const HELD = 'echo begin >>"$JOURNAL"; held; echo end >>"$JOURNAL"';
const BY = { user: 'deploy', uid: 0, host: 'puppet', reason: 'a reason' };

function controllerOf({ env, folder }: Site): Controller {
  const [configDir = '', stateDir = '', pkiDir = ''] = ['CONFIG', 'STATE', 'PKI'].map(
    (n) => env[`KICK_${n}_DIR`],
  );
  const folders = { configDir, stateDir, pkiDir, pkiDirNamed: true, runDir: join(folder, 'run') };
  return openController({
    folders,
    path: '',
    version: '0',
    clock: systemClock,
    identity: () => loadOwnIdentity({ ...folders, certname: env['KICK_CERTNAME'] }, ''),
    openSender: async ({ identity, connectTimeoutMs }) =>
      httpsSender({ identity, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) }),
  });
}

function selectionOf(text: string, more: Partial<Selection> = {}): Selection {
  return { ...NOTHING_CHOSEN, named: [{ text, origin: 'the expression' }], ...more };
}

const WISH: JobWish = {
  action: { op: 'run' },
  by: BY,
  settings: { lostAfterMs: 600_000, connectTimeoutMs: 10_000, accept: [] },
};

/** Collects events, and lets wait for one. */
function listener() {
  const events: JobEvent[] = [];
  const waiting: { fits: (event: JobEvent) => boolean; resolve: () => void }[] = [];
  return {
    events,
    types: () => events.map(({ type }) => type),
    onEvent(event: JobEvent): void {
      events.push(event);
      for (const { fits, resolve } of waiting) if (fits(event)) resolve();
    },
    until(fits: (event: JobEvent) => boolean): Promise<void> {
      const { promise, resolve } = deferred();
      waiting.push({ fits, resolve });
      if (events.some(fits)) resolve();
      return promise;
    },
  };
}

const isStarted = (event: JobEvent) => event.type === 'host-event' && event.event.type === 'started';

// Long because it is one job from its choice to its end.
test('a whole job: chosen, planned, followed, stopped, resumed, run again', async () => {
  // web2 fails; all wait until they are released.
  const site = await realSite(3, (_name, index) => `${HELD}; exit ${index === 1 ? 1 : 2}`);
  site.inventory({ groups: [{ name: 'dmz', targets: site.names, facts: { role: 'web' } }] });
  const [runner, other] = [controllerOf(site), controllerOf(site)];
  const begins = () => site.names.map((name) => site.journal(name).filter((line) => line === 'begin').length);

  const hosts = await runner.choose(selectionOf('@dmz', { facts: [parseFactCondition('role=web')] }));
  expect(hosts.targets.map(({ certname }) => certname)).toEqual(site.names);
  expect(hosts.unanswered).toEqual([]);
  const nobody = runner.choose(selectionOf('web[1-3]', { facts: [parseFactCondition('role=db')] }));
  await expect(nobody).rejects.toMatchObject({ code: 'usage' });

  const plan = await runner.plan(hosts, {
    ...WISH,
    name: 'nightly',
    rollout: { batches: [{ unit: 'hosts', count: 1 }], confirm: true },
  });
  expect(plan.job).toMatchObject({ by: BY, name: 'nightly', concurrency: 25 });
  expect(await other.jobs()).toEqual([]);
  expect(begins()).toEqual([0, 0, 0]);

  const mine = listener();
  const questions: string[] = [];
  const running = runner.run(plan, {
    onEvent: mine.onEvent,
    lock: { name: 'nightly' },
    confirm: async (question) => {
      questions.push(question);
      return true;
    },
  });
  await mine.until(isStarted);
  const theirs = listener();
  const followed = (async () => {
    for await (const event of other.follow(plan.job.id)) theirs.onEvent(event);
  })();
  await theirs.until(isStarted);
  expect(await other.jobs({ name: 'nightly' })).toMatchObject([{ id: plan.job.id, state: 'running' }]);
  await expect(other.resume('last')).rejects.toMatchObject({ message: expect.stringContaining('it runs') });
  await expect(other.run(plan, { lock: { name: 'nightly' } })).rejects.toMatchObject({ code: 'locked' });
  expect(await other.status(hosts)).toMatchObject([{ status: { running: { job: plan.job.id } } }, {}, {}]);

  expect(await other.stop('last', { by: BY })).toMatchObject({ how: 'ordered', job: plan.job.id });
  await mine.until(({ type }) => type === 'stopping');
  site.release();
  const end = await running;
  expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'not-started', 'not-started']);
  expect(end).toMatchObject({ stopped: 'stopped', verdict: { exit: 4 } });
  await followed;
  expect(theirs.types()).toEqual(mine.types().filter((type) => type !== 'request-signed'));
  expect(begins()).toEqual([1, 0, 0]);

  const resumed = await other.resume('last', { confirm: async () => true });
  expect(resumed.results.map(({ outcome }) => outcome)).toEqual(['changed', 'failed', 'changed']);
  expect(begins()).toEqual([1, 1, 1]);
  await expect(other.resume('last')).rejects.toMatchObject({
    message: expect.stringContaining('it is over'),
  });

  const rerun = await runner.rerun(plan.job.id, { by: { ...BY, reason: 'again' }, concurrency: 1 });
  expect(rerun.targets.map(({ certname }) => certname)).toEqual(['web2.example.com']);
  const again = await runner.run(await rerun.plan());
  expect(again.verdict).toMatchObject({ exit: 1, bad: [{ certname: 'web2.example.com' }] });
  expect(begins()).toEqual([1, 2, 1]);
  expect(await other.jobs({ outcome: 'failed' })).toMatchObject([
    { id: plan.job.id, state: 'done', counts: { changed: 2, failed: 1 } },
    { id: again.job.id, state: 'done', exit: 1 },
  ]);
  expect(questions).toEqual([]); // it was stopped in its first batch
  expect(await other.job('last')).toMatchObject({ job: { by: { reason: 'again' } }, damaged: 0 });
  const { certname, result } = await other.hostLog(plan.job.id, 'web2');
  expect([certname, result?.outcome]).toEqual(['web2.example.com', 'failed']);
});

test('two controllers in one process, each with its own job on the same hosts', async () => {
  const site = await realSite(3, () => `${HELD}; exit 2`);
  const controllers = [controllerOf(site), controllerOf(site)] as const;
  const hosts = await controllers[0].choose(selectionOf('web[1-3]'));
  const listeners = [listener(), listener()] as const;
  const runs = [];
  for (const [index, controller] of controllers.entries()) {
    // A run that began is joined by nobody: the second job waits for it on each host.
    const plan = await controller.plan(hosts, WISH);
    runs.push(controller.run(plan, { onEvent: (event) => listeners[index]?.onEvent(event) }));
    const says = index === 0 ? 'started' : 'waiting';
    for (const name of site.names)
      await listeners[index]?.until(
        (event) => event.type === 'host-event' && event.certname === name && event.event.type === says,
      );
  }
  expect((await controllers[1].jobs()).map(({ state }) => state)).toEqual(['running', 'running']);
  site.release();
  for (const { results } of await Promise.all(runs))
    expect(results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed', 'changed']);
  expect((await controllers[0].jobs()).map(({ state }) => state)).toEqual(['done', 'done']);
});

test('the fleet: status, count, summary, doctor; disabled, enabled and cancelled', async () => {
  const site = await realSite(3, () => `${HELD}; exit 2`);
  const controller = controllerOf(site);
  const hosts = await controller.choose(selectionOf('web*'));
  const one = { targets: hosts.targets.slice(0, 1) };
  expect(await controller.count(hosts)).toMatchObject({ hosts: 3, states: { idle: 3 }, waiting: 0 });
  const disable = { op: 'disable', reason: 'new disk' } as const;
  expect(await controller.command(one, { action: disable, by: BY })).toMatchObject([
    { reply: { result: 'done' } },
  ]);
  const seen: string[] = [];
  const answers = await controller.status(hosts, {
    onAnswer: ({ target }) => void seen.push(target.certname),
  });
  expect(seen.sort()).toEqual(site.names);
  expect(answers[0]?.status?.disabled).toMatchObject({ reason: 'new disk', by: 'deploy@puppet' });
  expect(await controller.count(hosts)).toMatchObject({ states: { idle: 2, disabled: 1 } });
  expect((await controller.doctor(one))[0]).toMatchObject({
    certname: 'web1.example.com',
    findings: expect.arrayContaining([expect.objectContaining({ level: 'warning' })]),
  });
  expect((await controller.summary(hosts)).summary).toMatchObject({ hosts: 3, answered: 3 });

  const mine = listener();
  const running = controller.run(await controller.plan(hosts, WISH), { onEvent: mine.onEvent });
  for (const name of site.names.slice(1))
    await mine.until((event) => isStarted(event) && 'certname' in event && event.certname === name);
  const rest = { targets: hosts.targets.slice(1) };
  await controller.command(rest, { action: { op: 'cancel' }, by: BY });
  expect((await running).results.map(({ outcome }) => outcome)).toEqual([
    'disabled',
    'cancelled',
    'cancelled',
  ]);
  expect(await controller.command(one, { action: { op: 'enable' }, by: BY })).toMatchObject([
    { reply: { result: 'done' } },
  ]);
});

test('a caller that aborts leaves running hosts as they are, and another goes on', async () => {
  const site = await realSite(2, () => `${HELD}; exit 2`);
  const [first, second] = [controllerOf(site), controllerOf(site)];
  const hosts = await first.choose(selectionOf('web[1-2]'));
  const mine = listener();
  const abort = new AbortController();
  const running = first.run(await first.plan(hosts, WISH), { onEvent: mine.onEvent, signal: abort.signal });
  for (const name of site.names)
    await mine.until((event) => isStarted(event) && 'certname' in event && event.certname === name);
  abort.abort();
  expect((await running).results.map(({ outcome }) => outcome)).toEqual(['unfinished', 'unfinished']);
  const resuming = second.resume('last');
  site.release();
  expect((await resuming).results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed']);
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'end']);
});
