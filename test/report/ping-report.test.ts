/** What kick nats ping prints: times, their spread, who is silent; within 80 columns. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  histogram,
  type Pong,
  pingDocument,
  pingLines,
  pongLine,
  statsOf,
} from '../../src/report/ping-report.ts';

const at = (...times: number[]): Pong[] =>
  times.map((latencyMs, index) => ({ certname: `web${index + 1}.example.com`, latencyMs }));

test('a line for each host, with its time or why it is silent', () => {
  const [pong] = at(1.234);
  expect(pong && pongLine(pong, 18)).toBe('web1.example.com       1.2ms');
  expect(pongLine({ certname: 'web2', error: 'it does not answer' }, 6)).toBe(
    'web2      silent  it does not answer',
  );
  expect(pongLine({ certname: 'web2' }, 4)).toBe('web2    silent');
});

test('totals, a histogram without empty ends, and the silent hosts', () => {
  const pongs = [...at(0.9, 1.5, 1.6, 7, 480), { certname: 'db1.example.com', error: 'gone' }];
  expect(pingLines({ pongs, tookMs: 1234 }, 80)).toEqual([
    '5 of 6 hosts answered within 1.2s',
    'min 0.9ms, avg 98.2ms, median 1.6ms, 95% 480ms, max 480ms',
    `      to 1ms  ${'█'.repeat(20)} 1`,
    `      to 2ms  ${'█'.repeat(40)} 2`,
    '      to 5ms  0',
    `     to 10ms  ${'█'.repeat(20)} 1`,
    '     to 20ms  0',
    '     to 50ms  0',
    '    to 100ms  0',
    '    to 200ms  0',
    `    to 500ms  ${'█'.repeat(20)} 1`,
    'silent: 1 (db1.example.com)',
  ]);
});

test('nobody answered; nobody is there at all', () => {
  expect(pingLines({ pongs: [{ certname: 'web1', error: 'x' }], tookMs: 2000 }, 80)).toEqual([
    '0 of 1 host answered within 2.0s',
    'silent: 1 (web1)',
  ]);
  expect(pingLines({ pongs: [], tookMs: 12 }, 80)).toEqual([
    'nobody is there (after 12ms): agents come with nats: in agent.yaml',
  ]);
  expect(statsOf([])).toBeUndefined();
});

test('the rows fit any terminal, and count every host', () => {
  const times = fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(times, fc.integer({ min: 40, max: 200 }), (all, columns) => {
      const rows = histogram(all, columns);
      for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
      expect(rows.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0)).toBe(all.length);
    }),
  );
  expect(histogram([20_000], 80)[0]).toMatch(/over 10\.0s {2}█+ 1$/);
});

test('the document', () => {
  const pongs = [...at(1.04, 2.06), { certname: 'db1', error: 'gone' }];
  expect(pingDocument({ pongs, tookMs: 3.14 })).toEqual({
    ...{ hosts: 3, answered: 2, tookMs: 3.1, minMs: 1, avgMs: 1.6, medianMs: 1, p95Ms: 2.1, maxMs: 2.1 },
    answers: [
      { certname: 'web1.example.com', latencyMs: 1 },
      { certname: 'web2.example.com', latencyMs: 2.1 },
      { certname: 'db1', error: 'gone' },
    ],
  });
});
