/** How the latest runs of many hosts went: numbers, bars, and who stands out. */
import { expect, test } from 'vitest';
import { summarise } from '../../src/controller/fleet/summary.ts';
import type { LastRun } from '../../src/protocol/status.ts';
import { sparkline, summaryText } from '../../src/report/fleet-summary.ts';
import { idle, MINUTE, NOW, target } from './idle-host.ts';

test('summarise gives min, average and max over the hosts that tell, and names the slowest and most failing', () => {
  const host = (certname: string, total: number, failed: number) => ({
    target: { ...target, certname },
    status: {
      ...idle,
      lastRun: {
        ...idle.lastRun,
        status: 'failed' as const,
        at: NOW,
        resources: { total: 10, failed },
        times: { total },
      },
    },
  });
  const answers = [host('a', 1, 0), host('b', 9, 3), host('c', 5, 1), { target, error: 'no answer' }];
  const summary = summarise(answers);
  expect(summary).toMatchObject({ hosts: 4, answered: 3, withRun: 3 });
  expect(summary.metrics['totalTime']).toMatchObject({ hosts: 3, min: 1, average: 5, max: 9 });
  expect(summary.metrics['totalTime']?.histogram.reduce((a, b) => a + b)).toBe(3);
  expect(summary.metrics['changed']).toBeUndefined();
  expect(summary.slowest.map(({ certname }) => certname)).toEqual(['b', 'c', 'a']);
  expect(summary.mostFailing).toEqual([
    { certname: 'b', failed: 3 },
    { certname: 'c', failed: 1 },
  ]);
  expect(summaryText(summary)).toMatch(/Total run time \(seconds\): .* min: 1\.0 +avg: 5\.0 +max: 9\.0/);
});

test('summarise tells drift that was repaired from drift that was only found, and no time since a run to come', () => {
  const host = (certname: string, run: Partial<LastRun>) => ({
    target: { ...target, certname },
    status: { ...idle, lastRun: { status: 'changed' as const, at: NOW, correctiveChange: true, ...run } },
  });
  const summary = summarise([
    host('all', { drift: 'repaired' }),
    host('some', { drift: 'partly', status: 'failed' }),
    host('none', { drift: 'found', status: 'failed' }),
    host('noop', { noop: true }),
    host('steady', { correctiveChange: false }),
    host('ahead', { correctiveChange: false, at: NOW + 120 * MINUTE }),
  ]);
  expect(summary.driftRepaired).toEqual(['all', 'some']);
  expect(summary.driftFound).toEqual(['some', 'none', 'noop']);
  expect(summary.metrics['sinceLastRun']?.hosts).toBe(5);
  expect(summaryText(summary)).toContain('Drift found:  none, noop, some\n');
});

test('summaryText has a row for what any host reports, and no average that hides a failure', () => {
  const host = (certname: string, failed: number) => ({
    target: { ...target, certname },
    status: { ...idle, lastRun: { status: 'changed' as const, at: NOW, resources: { total: 100, failed } } },
  });
  const text = summaryText(summarise([host('a', 1), host('b', 0), host('c', 2), host('d', 0)]));
  expect(text).toMatch(/Total resources: .* min: 100 +avg: 100 +max: 100\n/);
  expect(text).toMatch(/Failed resources: .* min: 0 +avg: 0\.8 +max: 2\n/);
  expect(text).not.toContain('Config retrieval');
  expect(text).toMatch(/Most failing: {2}c \(2\)\n +a \(1\)\n/);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('summarise of very many hosts and of none', () => {
  const many = Array.from({ length: 200_000 }, () => ({ target, status: idle }));
  expect(summarise(many).metrics['sinceLastRun']?.hosts).toBe(200_000);
  expect(summaryText(summarise([]))).toContain('0 of 0 hosts answered; there is no report of a run');
});

test('sparkline shows even a single host, and nothing where there is none', () => {
  expect(sparkline([100_000, 1, 0])).toBe('█▁ ');
  expect(sparkline([0, 0])).toBe('  ');
});
