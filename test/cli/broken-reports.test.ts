/** A report that cannot be made or written ends no job: it is said once, and the exit code is that of the hosts. */
import { expect, test } from 'vitest';
import { type OutputChoice, reportJob } from '../../src/cli/commands/report-job.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import type { JobEnd } from '../../src/controller/execute-job.ts';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import type { Plan } from '../../src/controller/plan-job.ts';
import { jobOf } from '../report/live-terminal.ts';

const job = jobOf(['web1.example.com', 'web2.example.com']);
const SETTINGS = { lostAfterMs: 1, connectTimeoutMs: 1, accept: [], version: '1' };
const results = job.targets.map(({ certname }) => ({ certname, outcome: 'failed' as const, endedAt: 1 }));

const EVENTS: JobEvent[] = [
  { type: 'job-started', at: 1, job },
  ...results.map((result): JobEvent => ({ type: 'host-done', at: 1, result })),
  { type: 'job-done', at: 2, results },
];

/** A terminal of which `broken` throws. */
function brokenAt(broken: 'out' | 'columns', isTty: boolean) {
  let err = '';
  const fail = () => {
    throw new RangeError('Invalid\u001b time value');
  };
  const terminal = {
    ...{ isTty, color: false, rows: () => 24, columns: () => 80, outColumns: () => undefined },
    out: () => {},
    draw: () => {},
    err: (text: string) => {
      err += text;
    },
    [broken]: fail,
  };
  const context: CommandContext = { terminal, env: {}, exit: () => {} };
  return { context, err: () => err };
}

async function report(output: OutputChoice, context: CommandContext): Promise<number> {
  return reportJob({ output, context }, async (shown) => {
    await shown.onStart({ job, settings: SETTINGS } as unknown as Plan);
    for (const event of EVENTS) shown.onEvent?.(event);
    shown.warn?.('still there');
    return { job, results, verdict: { exit: 1, bad: [], accepted: [] } } as unknown as JobEnd;
  });
}

const all: Omit<OutputChoice, 'format'> = { quiet: false, verbose: false };

test.each<[string, OutputChoice, 'out' | 'columns', boolean]>([
  ['human', { ...all, format: 'human' }, 'out', false],
  ['human in a terminal', { ...all, format: 'human' }, 'columns', true],
  ['quiet', { ...all, format: 'human', quiet: true }, 'out', false],
  ['json', { ...all, format: 'json' }, 'out', false],
  ['jsonl', { ...all, format: 'jsonl' }, 'out', false],
])('%s: a reporter that throws is said once and left out', async (_what, output, broken, isTty) => {
  const { context, err } = brokenAt(broken, isTty);
  expect(await report(output, context)).toBe(1);
  const warning = 'warning: the report ends here, and the job goes on: Invalid\\x1b time value\n';
  expect(err().split(warning)).toHaveLength(2);
  expect(err()).toContain('warning: still there\n');
});

test('the log goes on without the reporter for people, and that without a log', async () => {
  const { context, err } = brokenAt('out', false);
  const log = { argv: ['/nowhere/logger'] };
  expect(await report({ ...all, format: 'json', logger: log.argv }, context)).toBe(1);
  expect(err().match(/the report ends here/g)).toHaveLength(1);
});
