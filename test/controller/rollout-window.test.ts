/** How many hosts run at once: the window, its back-pressure, and retries. */
import { expect, test, vi } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import { createBackPressure, turnedAway } from '../../src/controller/rollout/back-pressure.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createPlaces } from '../../src/util/semaphore.ts';
import { count, good, hosts, outcomesOf } from './rollouts.ts';
import { accepted, barrier, failure, finished, ownTimers, run, type Script, started } from './scripted.ts';

test('the window slides: never more at once than said, and one that ends lets the next one go', async () => {
  let running = 0;
  let most = 0;
  const together = barrier(4);
  await run(
    hosts(20, {}, () => [accepted, started(), together(), finished()]),
    {
      concurrency: 4,
      emit(event) {
        if (event.type === 'host-dispatched') running += 1;
        if (event.type === 'host-done') running -= 1;
        most = Math.max(most, running);
      },
    },
  );
  expect(most).toBe(4);
});

test('a bound of a group holds for its hosts, within the window', async () => {
  const running = new Set<string>();
  let most = 0;
  const together = barrier(6); // one of the group and the other five
  const done = await run(
    hosts(8, {}, () => [accepted, started(), together(), finished()]),
    {
      concurrency: 6,
      rollout: { groups: [{ name: 'db', concurrency: 1, certnames: ['h0', 'h1', 'h2'] }] },
      emit(event) {
        if (event.type === 'host-dispatched') running.add(event.certname);
        if (event.type === 'host-done') running.delete(event.result.certname);
        most = Math.max(most, ['h0', 'h1', 'h2'].filter((one) => running.has(one)).length);
      },
    },
  );
  expect(most).toBe(1);
  expect(count(outcomesOf(done), 'changed')).toBe(8);
});

test('hosts that report a server that turns them away shrink the window, which grows again', async () => {
  ownTimers();
  const places = createPlaces(16);
  const told: JobEvent[] = [];
  const pressure = createBackPressure({
    ...{ places, clock: systemClock, emit: (event: JobEvent) => told.push(event) },
    ...{ growAfterMs: 1000, settleMs: 0 },
  });
  const line = (message: string) => ({
    ...{ type: 'log' as const, seq: 1, at: 1 },
    lines: [{ level: 'warning' as const, message }],
  });
  pressure.on('a', line('all is well'));
  expect(places.size()).toBe(16);
  const busy = line('Error 503 on SERVER: Service Unavailable');
  for (let i = 0; i < 100; i++) pressure.on('a', line('Sleeping for 12 seconds before retrying the request'));
  expect(places.size()).toBe(16); // one host alone
  pressure.on('b', busy);
  expect(places.size()).toBe(8);
  pressure.on('b', busy);
  expect(places.size()).toBe(8);
  pressure.on('c', busy);
  expect(places.size()).toBe(4);
  while (places.size() < 16) vi.advanceTimersByTime(1000);
  pressure.close();
  const sizes = told.map((event) => (event.type === 'window' ? event.size : 0));
  expect(sizes).toEqual([8, 4, 5, 6, 7, 8, 10, 12, 15, 16]);
  expect(told[0]).toMatchObject({ why: expect.stringContaining('several hosts away, b too: Error 503') });
});

test('turnedAway knows the words of Puppet, and a failed run', () => {
  const end = (message: string) => ({ ...finished(3, { outcome: 'failed', error: { message } }) }) as never;
  expect(
    turnedAway(end('Failed to open TCP connection to puppet:8140 (Connection refused - connect(2))')),
  ).toBeDefined();
  expect(turnedAway(end('No more routes to puppet'))).toBeDefined();
  expect(turnedAway(end('Could not find class foo'))).toBeUndefined();
});

test('a job in which Puppet Server turns hosts away goes on with fewer at once, and says so', async () => {
  const away503: Script = () => [
    accepted,
    started(),
    finished(3, { outcome: 'failed', error: { message: 'Error 503 on SERVER' } }),
  ];
  const done = await run(hosts(6, { 0: away503, 1: away503 }), { concurrency: 4 });
  expect(done.events.find(({ type }) => type === 'window')).toMatchObject({ size: 2, most: 4 });
  expect(count(outcomesOf(done), 'changed')).toBe(4);
});

test('an unreachable host is tried again while the others go on, and gives its place back', async () => {
  let tries = 0;
  const late: Script = () =>
    ++tries < 3 ? [failure('connection-refused')] : [accepted, started(), finished()];
  const done = await run(
    { late, b: good, c: good },
    { concurrency: 1, retryAfterMs: 20, rollout: { retry: 5 } },
  );
  expect(outcomesOf(done)).toEqual(['changed', 'changed', 'changed']);
  expect(tries).toBe(3);
  const ends = done.events.flatMap((event) => (event.type === 'host-done' ? [event.result.certname] : []));
  expect(ends.at(-1)).toBe('late');
});

test('--retry is an end, and so is --deadline', async () => {
  let tries = 0;
  const never: Script = () => {
    tries += 1;
    return [failure('connection-refused')];
  };
  expect(outcomesOf(await run({ never }, { retryAfterMs: 1, rollout: { retry: 2 } }))).toEqual([
    'unreachable',
  ]);
  expect(tries).toBe(3);
  tries = 0;
  ownTimers();
  let time = 0;
  const late = await run(
    { never },
    {
      clock: { now: () => time, monotonic: () => time },
      rollout: { deadlineMs: 150 },
      emit(event) {
        if (event.type !== 'host-retry') return;
        time += 50;
        setImmediate(() => vi.advanceTimersByTime(150));
      },
    },
  );
  expect(outcomesOf(late)).toEqual(['unreachable']);
  expect(tries).toBe(4);
});
