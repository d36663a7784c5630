/** What can be known of a job's end, and what cannot. */
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import { followProgress } from '../../src/report/progress.ts';
import { timeLeft } from '../../src/report/time-left.ts';
import { AT, allRunning, dispatched, done, names, running, started, waiting } from './live-terminal.ts';

const after = (events: readonly JobEvent[], seconds: number) => {
  const progress = followProgress();
  for (const event of events) progress.on(event);
  return timeLeft(progress.now(), AT + seconds * 1000);
};
const ends = (targets: readonly string[], seconds: number, from = 0): JobEvent[] =>
  targets.map((name) => done(name, { startedAt: AT + from * 1000, endedAt: AT + seconds * 1000 }));
const all = names(20);
const [first, second] = [all.slice(0, 5), all.slice(5, 10)];

test.each<[string, JobEvent[], number, ReturnType<typeof timeLeft>]>([
  ['a job of five hosts', [started(first), ...allRunning(first), ...ends(first.slice(1), 1)], 2, undefined],
  ['no host has ended', [started(all), ...allRunning(first)], 60, { unknown: 'early' }],
  [
    'four have',
    [started(all), ...allRunning(first), ...ends(first.slice(0, 4), 9)],
    60,
    { unknown: 'early' },
  ],
  [
    'more are under way than have ended',
    [started(all), ...allRunning(all.slice(0, 11)), ...ends(first, 9)],
    60,
    { unknown: 'early' },
  ],
  [
    'ten of twenty after 20 s, five half done',
    [started(all), ...allRunning(all.slice(0, 15)), ...ends([...first, ...second], 20, 10)],
    20,
    { ms: (5 + 5 / 2) * 2000 },
  ],
  [
    'the operator will be asked',
    [
      started(all, { rollout: { confirm: true } }),
      { type: 'batch', at: AT, number: 1, of: 2, hosts: 10, isCanary: false },
      ...allRunning([...first, ...second]),
      ...ends([...first, ...second], 20),
    ],
    20,
    { unknown: 'operator' },
  ],
  [
    'only hosts are left that wait for runs of others',
    [started(all.slice(0, 8)), ...all.slice(5, 8).map((name) => waiting(name)), ...ends(first, 20)],
    20,
    { unknown: 'waiting' },
  ],
  [
    'the last one began 2 s ago, and they take 10 s',
    [
      started(all.slice(0, 6)),
      ...ends(first, 10),
      dispatched('web06', AT + 10_000),
      running('web06', AT + 11_000),
    ],
    12,
    { ms: 8000 },
  ],
  [
    'the last one takes longer than the others did',
    [started(all.slice(0, 6)), ...ends(first, 10), dispatched('web06', AT)],
    11,
    { unknown: 'slow' },
  ],
  [
    'no more hosts are started',
    [
      started(all),
      ...ends(first, 10),
      dispatched('web06', AT + 10_000),
      { type: 'stopping', at: AT + 11_000, reason: 'max-failures', message: 'too many' },
    ],
    13,
    { ms: 7000 },
  ],
])('%s', (_name, events, seconds, expected) => {
  expect(after(events, seconds)).toEqual(expected);
});

test('pauses between batches are added, and those that are over are no work', () => {
  const batch = (number: number, at: number): JobEvent => ({
    ...{ type: 'batch', at: AT + at * 1000, number, of: 4, hosts: 5, isCanary: false },
  });
  const events: JobEvent[] = [
    started(all, { rollout: { pauseMs: 60_000 } }),
    batch(1, 0),
    ...ends(first, 10),
    { type: 'pause', at: AT + 10_000, until: AT + 70_000 },
  ];
  // 15 hosts at 5 in 10 s, the rest of this pause and two more.
  expect(after(events, 40)).toEqual({ ms: 30_000 + 30_000 + 120_000 });
  const later: JobEvent[] = [...events, batch(2, 70), ...second.map((name) => dispatched(name, AT + 70_000))];
  expect(after([...later, ...ends(second, 80, 70)], 80)).toEqual({ ms: 20_000 + 120_000 });
});

test('what an earlier controller has seen counts as done, and says nothing of the pace', () => {
  const events = [
    started(all),
    ...first.map((name) => done(name, { startedAt: AT - 9000, endedAt: AT - 1000 })),
  ];
  const progress = followProgress();
  for (const event of events) progress.on(event);
  expect(progress.now().done).toBe(5);
  expect(progress.now().pace.now(AT + 5000)).toMatchObject({ ended: 0, perMinute: 0 });
  expect(after(events, 5)).toEqual({ unknown: 'early' });
});

test('a job that begins again is counted anew: kick jobs watch sees both beginnings', () => {
  const progress = followProgress();
  for (const event of [started(all), ...ends(first, 1), started(all), ...ends(first, 1)]) progress.on(event);
  expect(progress.now().done).toBe(5);
});

test('a host whose connection breaks goes on running, and says why nothing is heard', () => {
  const progress = followProgress();
  for (const event of [started(all), dispatched('web01'), running('web01')]) progress.on(event);
  progress.on({ type: 'host-retry', at: AT + 5000, certname: 'web01', message: 'connection reset' });
  expect([...progress.now().hosts.running]).toEqual([
    ['web01', { state: 'running', since: AT, from: AT, note: 'connection reset' }],
  ]);
});

test('the rate is that of the last minute', () => {
  const progress = followProgress();
  progress.on(started(names(99)));
  for (let second = 0; second < 90; second++) {
    progress.on(done(`web${second}`, { endedAt: AT + second * 1000 }));
  }
  const { pace } = progress.now();
  expect(pace.now(AT + 90_000).perMinute).toBeCloseTo(60, -1);
  expect(pace.now(AT + 120_000).perMinute).toBeCloseTo(30, -1);
  expect(pace.now(AT + 600_000).perMinute).toBe(0);
});
