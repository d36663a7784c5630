/** Reports of a job for people, mails and machines: what is listed, folded, escaped and left out. */
import { expect, test, vi } from 'vitest';
import type { HostResult, JobEvent } from '../../src/controller/jobs/job.ts';
import { judgeJob } from '../../src/controller/jobs/verdict.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { humanReporter } from '../../src/report/human.ts';
import { jsonlReporter, jsonReporter } from '../../src/report/json.ts';
import { livePage } from '../../src/report/live-page.ts';
import { plainPage } from '../../src/report/page.ts';
import { quietReporter } from '../../src/report/quiet.ts';
import type { Judge, Output, Reporter } from '../../src/report/reporter.ts';
import { jobOf } from './live-terminal.ts';

const AT = Date.UTC(2026, 10, 23, 7, 31, 5);

const result = (certname: string, rest: Partial<HostResult> = {}): HostResult => ({
  ...{ certname, outcome: 'unchanged', startedAt: AT, endedAt: AT + 24_000 },
  ...rest,
});

const finished = (rest: Partial<FinishedEvent>): FinishedEvent => ({
  ...{ type: 'finished', outcome: 'changed', endedAt: AT },
  ...rest,
});

async function play(make: (output: Output) => Reporter, results: HostResult[], between: JobEvent[] = []) {
  const written = { out: '', err: '' };
  const reporter = make({
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
  });
  reporter.on({ type: 'job-started', at: AT, job: jobOf(results.map(({ certname }) => certname)) });
  for (const event of between) reporter.on(event);
  for (const one of results) reporter.on({ type: 'host-done', at: AT + 24_000, result: one });
  reporter.on({ type: 'job-done', at: AT + 41_000, results });
  await reporter.close();
  return written;
}

const human =
  (more: object = {}) =>
  (output: Output) =>
    humanReporter({
      ...output,
      draw: output.err,
      openPage: plainPage,
      color: false,
      columns: () => 80,
      rows: () => 24,
      outColumns: () => undefined,
      verbose: false,
      now: () => AT,
      ...more,
    });

test('the end for people lists up to 20 hosts and adds up', async () => {
  const { out, err } = await play(human(), [
    result('agent1.example.com', {
      outcome: 'changed',
      finished: finished({ facts: { resources: { changed: 3 } } }),
    }),
    result('agent2.example.com', { endedAt: AT + 41_000, waitedMs: 17_000 }),
  ]);
  expect(out).toContain('  agent1.example.com  changed       24s  3 resources\n');
  expect(out).toContain('  agent2.example.com  unchanged     41s  (waited 17s)\n');
  expect(out).toContain('            Nodes: 2 / 2      1 unchanged, 1 changed\n');
  expect(out).toContain('      Pass / Fail: 2 / 0\n');
  expect(out).toContain('              Job: e41c07aa      kick jobs show e41c07aa\n');
  expect(err).toContain('job e41c07aa  2 hosts  by deploy (sudo) on puppet  at most 25 at once\n');
});

test('while the operator is asked the rows are not drawn: they covered the question of --confirm', async () => {
  vi.useFakeTimers();
  let err = '';
  const judge: Judge = (results) => judgeJob(results, { accept: [] });
  const reporter = human({ openPage: livePage })({
    out: () => {},
    err: (text) => (err += text),
    judge,
  } as Output);
  reporter.on({ type: 'job-started', at: AT, job: jobOf(['a', 'b']) });
  vi.advanceTimersByTime(1000);
  expect(err).toContain('0 of 2');
  reporter.on({ type: 'pause', at: AT });
  err = '';
  vi.advanceTimersByTime(1000);
  expect(err).toBe('');
  reporter.on({ type: 'batch', at: AT, number: 2, of: 2, hosts: 1, isCanary: false });
  vi.advanceTimersByTime(1000);
  expect(err).toContain('0 of 2');
  await reporter.close();
  vi.useRealTimers();
});

test('above 20 hosts only those that did not go well are listed, identical failures together', async () => {
  const good = Array.from({ length: 30 }, (_, index) => result(`ok${index}`));
  const error = { message: 'exit 1', file: 'site/web.pp', line: 41 };
  const bad = ['web07', 'web12'].map((name) =>
    result(name, { outcome: 'failed', finished: finished({ outcome: 'failed', error }) }),
  );
  const { out } = await play(human(), [...good, ...bad]);
  expect(out).toContain('failed          2  web[07,12]\n');
  expect(out).toContain('exit 1 (site/web.pp:41)\n');
  expect(out).not.toContain('ok7');
});

test('above 20 hosts failures that differ in an address are one group, with one of them as its example', async () => {
  const good = Array.from({ length: 20 }, (_, index) => result(`ok${index}`));
  const bad = [7, 12, 13].map((number) =>
    result(`web${number}.example.com`, {
      outcome: 'unreachable',
      message: `port 8139 of "10.0.0.${number}" refused: kick agent is not running`,
    }),
  );
  const group =
    'unreachable     3  web[7,12-13].example.com\n                   e.g. port 8139 of "10.0.0.7" refused: ';
  expect((await play(human(), [...good, ...bad])).out).toContain(`\n${group}`);
  expect((await play(quiet, [...good, ...bad])).out).toContain(`\n${group}`);
});

test('what is to be said of runs that went well is said above 20 hosts, too', async () => {
  const skipped = (name: string, total: number) =>
    result(name, { message: `${total} of ${total} resources were skipped (--tags nosuch)` });
  const all = [...Array(30).keys()].map((index) => skipped(`web${index}`, 9));
  const { out } = await play(human(), [...all, result('quiet1')]);
  expect(out).toMatch(/unchanged +30 {2}web\[0-29\]\n +9 of 9 resources were skipped \(--tags nosuch\)\n/);
  expect(out).not.toContain('quiet1');
  expect((await play(human(), [...all, skipped('db1', 12)])).out).toMatch(
    /unchanged +31 .*\n +all resources were skipped \(--tags nosuch\)\n/,
  );
});

test.each([
  ['changed', { correctiveChange: true }, 'drift repaired'],
  ['changed', { correctiveChange: true, drift: 'repaired' }, 'drift repaired'],
  ['failed', { correctiveChange: true }, 'drift found, not repaired'],
  ['failed', { correctiveChange: true, drift: 'found' }, 'drift found, not repaired'],
  ['failed', { correctiveChange: true, drift: 'partly' }, 'drift repaired in part'],
  ['failed', { correctiveChange: true, drift: 'repaired' }, 'drift repaired'],
  ['would-change', { correctiveChange: true, noop: true }, 'drift found'],
  ['changed', { correctiveChange: false }, undefined],
] as const)('beside a run that is %s with %j stands: %s', async (outcome, facts, words) => {
  const { out } = await play(human(), [result('a', { outcome, finished: finished({ outcome, facts }) })]);
  const line = out.split('\n').find((one) => one.startsWith('  a '));
  expect(line?.trim().split(/ {2,}/)).toEqual(['a', outcome, '24s', ...(words === undefined ? [] : [words])]);
});

test('more than one catalog version is said, a single one is not', async () => {
  const of = (name: string, configurationVersion: string) =>
    result(name, { finished: finished({ facts: { configurationVersion } }) });
  const { out } = await play(human(), [of('a', '3f2a91c'), of('b', '3f2a91c'), of('c', '77aa01e')]);
  expect(out).toContain('catalog versions: 3f2a91c on 2 hosts, 77aa01e on 1\n');
  expect((await play(human(), [of('a', '3f2a91c'), of('b', '3f2a91c')])).out).not.toContain(
    'catalog versions',
  );
  const message = `${'a commit that has a lot to say '.repeat(5)}\nand more`;
  const long = (await play(human(), [of('a', '3f2a91c'), of('b', message)])).out;
  expect(long).toMatch(/catalog versions: 3f2a91c on 1 host, a commit that has a lot [^\n]{1,70}… on 1\n/);
});

test('a refusal says what to do about it', async () => {
  const { out } = await play(human(), [
    result('web01.example.com', {
      outcome: 'refused',
      refusal: { code: 'controller-not-allowed' },
      message: 'no',
    }),
  ]);
  expect(out).toContain('controllers: [deploy1.example.com]');
  expect(out).toContain('journalctl -u kick-agent | grep e41c07aa');
});

const judge: Judge = (results, stopped) => judgeJob(results, { accept: [] }, stopped);
const quiet = (output: Output) => quietReporter({ ...output, judge });
const json = (output: Output) => jsonReporter(output, judge);
const jsonl = (output: Output) => jsonlReporter(output, judge);

const HOSTILE = '\u001b[31mred\u001b]0;title\u0007\u009b2J\r\u202Eevil\u2028next';
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const CURSOR = new RegExp(`\r?${String.fromCharCode(27)}\\[\\d*[AJK]`, 'g');

test.each([false, true])('what an agent says is harmless in every report (terminal: %s)', async (isTty) => {
  const hostile = [
    result('a', {
      outcome: 'failed',
      message: HOSTILE,
      finished: finished({
        ...{ outcome: 'failed', message: HOSTILE },
        facts: { configurationVersion: HOSTILE },
        holder: { what: HOSTILE, by: HOSTILE },
      }),
    }),
    result('b', { finished: finished({ facts: { configurationVersion: 'other' } }) }),
  ];
  const log: JobEvent[] = [
    {
      ...{ type: 'host-event', at: AT, certname: 'a' },
      event: { type: 'log', seq: 2, at: AT, lines: [{ level: 'err', source: HOSTILE, message: HOSTILE }] },
    },
    {
      ...{ type: 'host-event', at: AT, certname: 'a' },
      event: { type: 'waiting', seq: 3, at: AT, until: AT, holder: { what: HOSTILE, by: HOSTILE } },
    },
    { type: 'host-retry', at: AT, certname: 'a', message: HOSTILE },
    { type: 'window', at: AT, size: 1, most: 2, why: HOSTILE },
  ];
  for (const make of [human({ openPage: isTty ? livePage : plainPage, verbose: true }), quiet]) {
    const { out, err } = await play(make, hostile, log);
    // The sequences that redraw the rows are ours.
    const text = (out + err).split('\n').join('').replaceAll(CURSOR, '');
    expect(text).not.toMatch(UNSAFE);
    expect(text).toContain('\\x1b[31mred');
  }
  for (const make of [json, jsonl]) {
    const { out } = await play(make, hostile, log);
    expect(out.split('\n').join('')).not.toMatch(UNSAFE);
    expect(out).toContain('\\u202eevil');
  }
});

test('quiet says nothing when all is well, else one mail', async () => {
  expect(await play(quiet, [result('a')])).toEqual({ out: '', err: '' });
  const { out, err } = await play(
    (output) => quietReporter({ ...output, judge, name: 'nightly' }),
    [result('a'), result('db3', { outcome: 'unreachable', message: 'port 8139 refused' })],
  );
  expect(out).toContain('kick nightly: 1 of 2 hosts did not do as asked (exit 3, job e41c07aa)\n');
  expect(out).toContain('unreachable     1  db3\n');
  expect(out).toContain('Well:        1 unchanged');
  expect(err).toBe('');
});

test('json is one document, jsonl an object a line', async () => {
  const results = [result('a', { outcome: 'failed', finished: finished({ outcome: 'failed', exit: 4 }) })];
  expect(JSON.parse((await play(json, results)).out)).toMatchObject({
    ...{ controller: 'deploy1.example.com', exit: 1 },
    hosts: [{ certname: 'a', outcome: 'failed', run: { exit: 4 } }],
  });
  const lines = (await play(jsonl, results)).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(['job-started', 'host-done', 'job-done']);
});
