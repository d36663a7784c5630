/** When scheduled runs begin: spread over the hosts, on a grid, whatever the clock and the machine do. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { firstSlot, type Grid, gridOf, nextDue } from '../../src/agent/schedule/slots.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const interval = 30 * MINUTE;

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

/** An agent that looks every 5 s of its wall clock `ticks`; gives when its runs began. */
function runsOf(grid: Grid, ticks: Iterable<number>, begin: { lastAt?: number } = {}): number[] {
  const runs: number[] = [];
  let lastAt = begin.lastAt;
  let awakeSince: number | undefined;
  let looked: number | undefined;
  for (const now of ticks) {
    if (awakeSince === undefined || now - (looked ?? now) > MINUTE) awakeSince = now;
    awakeSince = Math.min(awakeSince, now);
    if (lastAt !== undefined) lastAt = Math.min(lastAt, now);
    looked = now;
    if (nextDue({ lastAt, awakeSince }, grid) > now) continue;
    runs.push(now);
    lastAt = now;
  }
  return runs;
}

function* ticks(from: number, to: number, every = 5000): Generator<number> {
  for (let now = from; now < to; now += every) yield now;
}

const gaps = (runs: readonly number[]) => runs.slice(1).map((at, index) => at - (runs[index] ?? 0));

test('gridOf spreads a thousand hosts evenly over the interval, the same at each start', () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 1000; i++) {
    const { offsetMs } = gridOf(`web${i}.example.com`, { intervalMs: interval, splayMs: interval });
    const bucket = Math.floor((offsetMs / interval) * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // 100 each; six standard deviations of a binomial are 57.
  for (const count of buckets) expect(Math.abs(count - 100)).toBeLessThan(57);
  expect(gridOf('a.example.com', { intervalMs: interval, splayMs: interval })).toEqual(
    gridOf('a.example.com', { intervalMs: interval, splayMs: interval }),
  );
});

test('gridOf spreads over the splay alone where it is shorter, and not at all without', () => {
  for (let i = 0; i < 200; i++) {
    expect(gridOf(`web${i}`, { intervalMs: interval, splayMs: MINUTE }).offsetMs).toBeLessThan(MINUTE);
    expect(gridOf(`web${i}`, { intervalMs: interval, splayMs: DAY }).offsetMs).toBeLessThan(interval);
  }
  expect(gridOf('web1', { intervalMs: interval, splayMs: 0 }).offsetMs).toBe(0);
});

test('firstSlot is on the grid, not before, and less than an interval later', () => {
  const times = fc.integer({ min: 0, max: 2 ** 42 });
  const sizes = fc.integer({ min: 1000, max: DAY });
  fc.assert(
    fc.property(times, sizes, fc.string(), (from, intervalMs, name) => {
      const grid = gridOf(name, { intervalMs, splayMs: intervalMs });
      const slot = firstSlot(from, grid);
      expect(slot - from).toBeGreaterThanOrEqual(0);
      expect(slot - from).toBeLessThan(intervalMs);
      expect((slot - grid.offsetMs) % intervalMs).toBe(0);
    }),
  );
});

test.each([
  ['spring', '2026-03-28T00:00:00Z'],
  ['autumn', '2026-10-24T00:00:00Z'],
])('no drift over three weeks, the change of the clocks in %s among them', (_season, start) => {
  process.env['TZ'] = 'Europe/Berlin';
  const from = Date.parse(start);
  const before = new Date(from).getTimezoneOffset();
  expect(new Date(from + 21 * DAY).getTimezoneOffset()).not.toBe(before);
  const grid = gridOf('web1.example.com', { intervalMs: interval, splayMs: interval });
  const runs = runsOf(grid, ticks(from, from + 21 * DAY));
  expect(runs).toHaveLength(21 * 48);
  for (const gap of gaps(runs)) expect(Math.abs(gap - interval)).toBeLessThanOrEqual(5000);
  for (const at of runs) expect((at - grid.offsetMs) % interval).toBeLessThan(5000);
});

test('a push postpones: no scheduled run within half an interval of it, and the grid stays', () => {
  const grid = gridOf('web1.example.com', { intervalMs: interval, splayMs: interval });
  const slot = firstSlot(DAY, grid);
  const soon = nextDue({ lastAt: slot - MINUTE, awakeSince: DAY }, grid);
  expect(soon).toBe(slot + interval);
  expect(nextDue({ lastAt: slot - 16 * MINUTE, awakeSince: DAY - HOUR }, grid)).toBe(slot);
});

test('a restart at the very slot loses no run and makes none twice', () => {
  const grid = gridOf('web1.example.com', { intervalMs: interval, splayMs: interval });
  const slot = firstSlot(DAY, grid);
  const lastAt = slot - interval;
  const missed = runsOf(grid, ticks(slot + 1000, slot + 10 * MINUTE), { lastAt });
  expect(missed).toHaveLength(1);
  expect((missed[0] ?? 0) - slot).toBeLessThanOrEqual(3 * MINUTE + 6000);
  expect(runsOf(grid, ticks(slot + 1000, slot + 10 * MINUTE), { lastAt: slot })).toEqual([]);
});

test('a suspended machine runs once soon after it wakes, spread over a tenth of the interval', () => {
  const wake = 10 * DAY + 7 * HOUR;
  const delays = Array.from({ length: 300 }, (_, i) => {
    const grid = gridOf(`web${i}.example.com`, { intervalMs: interval, splayMs: interval });
    const asleep = [...ticks(10 * DAY, 10 * DAY + HOUR), ...ticks(wake, wake + 10 * MINUTE)];
    const runs = runsOf(grid, asleep, { lastAt: 10 * DAY - MINUTE }).filter((at) => at >= wake);
    expect(runs.length).toBeLessThanOrEqual(2);
    return (runs[0] ?? Number.NaN) - wake;
  });
  for (const delay of delays) expect(delay).toBeLessThanOrEqual(3 * MINUTE + 5000);
  expect(delays.filter((delay) => delay < 90_000).length).toBeGreaterThan(100);
  expect(delays.filter((delay) => delay >= 90_000).length).toBeGreaterThan(100);
});

test.each([HOUR, DAY])('a clock that is set back by %d ms stops no schedule', (back) => {
  const grid = gridOf('web1.example.com', { intervalMs: interval, splayMs: interval });
  const at = 100 * DAY;
  const clock = [...ticks(at, at + 2 * HOUR), ...ticks(at + 2 * HOUR - back, at + 5 * HOUR - back)];
  const runs = runsOf(grid, clock);
  const after = runs.slice(runs.findIndex((one, index) => index > 0 && one < (runs[index - 1] ?? 0)));
  expect(after.length).toBeGreaterThanOrEqual(5);
  for (const gap of gaps(after)) expect(Math.abs(gap - interval)).toBeLessThanOrEqual(5000);
});

test('the first start of all waits for its own slot', () => {
  const grid = gridOf('web1.example.com', { intervalMs: interval, splayMs: interval });
  expect(nextDue({ awakeSince: DAY }, grid)).toBe(firstSlot(DAY, grid));
});
