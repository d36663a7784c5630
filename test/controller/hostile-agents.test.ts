/**
 * docs/security.md, "A: A hostile agent": whatever stands in a field of an event, an answer or a refusal, no report ends, the
 * other hosts' results are whole, and the job can be read afterwards.
 */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { listJobs } from '../../src/cli/commands/list-jobs.ts';
import { showJob } from '../../src/cli/commands/show-job.ts';
import type { HostResult, JobEvent } from '../../src/controller/jobs/job.ts';
import { judgeJob } from '../../src/controller/jobs/verdict.ts';
import { decodeEvent, EventSchema, StoredEventSchema } from '../../src/protocol/event.ts';
import { RefusalSchema } from '../../src/protocol/refusal.ts';
import { CommandReplySchema, StatusSchema } from '../../src/protocol/status.ts';
import { doctorText } from '../../src/report/doctor-text.ts';
import { summaryText } from '../../src/report/fleet-summary.ts';
import { stateText } from '../../src/report/host-state.ts';
import { humanReporter } from '../../src/report/human.ts';
import { jsonlReporter, jsonReporter } from '../../src/report/json.ts';
import { livePage } from '../../src/report/live-page.ts';
import { plainPage } from '../../src/report/page.ts';
import { quietReporter } from '../../src/report/quiet.ts';
import type { Judge } from '../../src/report/reporter.ts';
import { silentLines } from '../../src/report/silent-hosts.ts';
import { type IncomingEvent, SendError, type Sender } from '../../src/transport/transport.ts';
import { safeJson } from '../../src/util/text.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { EVENTS, type Lie, liesOf, missingIn, REFUSAL, REPLY, STATUS } from '../support/hostile.ts';
import { newController } from './new-controller.ts';
import { accepted, finished, identity, jobOf, started } from './scripted.ts';

const garbage = () => new SendError('garbage', 'not what kick agent says', { arrived: true });
const SETTINGS = { lostAfterMs: 1, connectTimeoutMs: 1, accept: [], version: '1' };
const judge: Judge = (results, stopped) => judgeJob(results, { accept: [] }, stopped);

/** A controller to whose hosts `sender` leads. */
const controllerWith = (sender: Partial<Sender>) =>
  newController(identity, () => ({ close() {}, ...sender }) as Sender);

/** One of the events of an honest run is this lie; the rest is as it should be. */
function streamOf(lie: Lie | undefined) {
  return (async function* (): AsyncGenerator<IncomingEvent> {
    yield accepted;
    yield started(2);
    if (lie !== undefined) yield decoded(lie.text);
    yield finished(1000, { facts: { resources: { total: 1, changed: 1 } } });
  })();
}

function decoded(text: string): IncomingEvent {
  try {
    return decodeEvent(Buffer.from(text));
  } catch {
    throw garbage();
  }
}

/** All reporters at once, none of them isolated: one that throws fails the test. */
function reporters() {
  const written = { human: '', live: '', quiet: '', json: '', jsonl: '' };
  const to = (name: keyof typeof written) => {
    const add = (text: string) => {
      written[name] += text;
    };
    return { out: add, err: add, draw: add };
  };
  const window = { columns: () => 80, rows: () => 24, now: () => Date.now(), color: true };
  let draw = () => {};
  const every = (_ms: number, work: () => void) => {
    draw = work;
    return () => {};
  };
  const all = [
    humanReporter({
      ...to('human'),
      ...window,
      openPage: plainPage,
      verbose: true,
      outColumns: () => undefined,
      every,
    }),
    humanReporter({
      ...to('live'),
      ...window,
      openPage: livePage,
      verbose: true,
      outColumns: () => 80,
      every,
    }),
    quietReporter({ ...to('quiet'), judge }),
    jsonReporter(to('json'), judge),
    jsonlReporter(to('jsonl'), judge),
  ];
  let count = 0;
  const on = (event: JobEvent) => {
    for (const reporter of all) reporter.on(event);
    if (count++ % 100 === 0) draw();
  };
  const close = () => Promise.all(all.map((reporter) => reporter.close()));
  return { written, on, close };
}

/** What no number and no time may look like: the lines, cut. */
const wrongIn = (text: string) =>
  text
    .split('\n')
    .flatMap((line) => /.{0,60}(NaN|Infinity|Invalid|undefined|:null).{0,20}/.exec(line)?.[0] ?? []);

const lies = EVENTS.flatMap((example) =>
  liesOf(example).map(({ what, text }) => ({ what: `${example.type}: ${what}`, text })),
);
const HONEST = ['honest1.example.com', 'honest2.example.com'];
const names = lies.map((_, index) => `lie${index}.example.com`);
const job = { ...jobOf([...HONEST, ...names], 100), id: uuidv7(Date.now()) };

test('the lies are about every field that there is', () => {
  const examples = new Map(EVENTS.map((event) => [event.type, event]));
  for (const schema of EventSchema.options) {
    const { literal } = schema.entries.type;
    expect(missingIn(schema, examples.get(literal)), literal).toEqual([]);
  }
  for (const [schema, example] of [
    [StatusSchema, STATUS],
    [RefusalSchema, REFUSAL],
    [CommandReplySchema, REPLY],
  ] as const) {
    expect(missingIn(schema, example)).toEqual([]);
  }
  expect(EVENTS.filter((event) => !v.is(StoredEventSchema, event))).toEqual([]);
});

test('no event ends a report or another host; the job is read and followed afterwards', async () => {
  const stream = (name: string) => streamOf(lies[names.indexOf(name)]);
  const controller = controllerWith({
    submit: async ({ certname }) => stream(certname),
    resume: async ({ certname }) => stream(certname),
  });
  const { written, on, close } = reporters();
  const warnings: string[] = [];
  const { results } = await controller.run(
    { job, settings: SETTINGS },
    { onEvent: on, warn: (message) => warnings.push(message) },
  );
  await close();
  expect(warnings).toEqual([]);
  const honest = { outcome: 'changed', finished: { facts: { resources: { total: 1, changed: 1 } } } };
  const isHonest = ({ certname }: Pick<HostResult, 'certname'>) => HONEST.includes(certname);
  expect(results.filter(isHonest)).toMatchObject([honest, honest]);
  expect(results).toHaveLength(job.targets.length);
  // What fits is believed, a lie as well; what does not is nobody's outcome.
  expect([...new Set(results.map(({ outcome }) => outcome))].sort()).toEqual([
    ...['busy', 'cancelled', 'changed', 'failed', 'lost'].filter((one) =>
      results.some(({ outcome }) => outcome === one),
    ),
  ]);
  const document = JSON.parse(written.json) as { hosts: { certname: string }[] };
  expect(document.hosts).toHaveLength(job.targets.length);
  expect(document.hosts.filter(isHonest)).toMatchObject([{ outcome: 'changed' }, { outcome: 'changed' }]);
  const lines = written.jsonl
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines.filter(({ type }) => type === 'host-done')).toHaveLength(job.targets.length);
  expect(wrongIn(Object.values(written).join('\n'))).toEqual([]);
  expect(written.human.includes(`/ ${job.targets.length} `)).toBe(true);
  await readAgain(controller);
});

/** `kick jobs`, `kick jobs show` of the job and of hosts, and `kick jobs watch`. */
async function readAgain(controller: ReturnType<typeof controllerWith>): Promise<void> {
  const shown = await showJob(controller, 'last', { format: 'json' });
  const { hosts } = JSON.parse(shown) as { hosts: unknown[] };
  expect(hosts).toHaveLength(job.targets.length);
  expect(await showJob(controller, 'last', { format: 'human' })).not.toContain('cannot be read');
  for (const format of ['human', 'json']) {
    expect(await listJobs(controller, { count: 1, format })).toContain(String(job.targets.length));
    for (const host of [...HONEST, ...names.filter((_, index) => index % 600 === 0)]) {
      expect(await showJob(controller, 'last', { host, format })).toContain(host);
    }
  }
  const { written, on, close } = reporters();
  for await (const event of controller.follow(job.id)) on(event);
  await close();
  expect((JSON.parse(written.json) as { hosts: unknown[] }).hosts).toEqual(hosts);
}

test('no status ends kick status, summary, count or doctor', async () => {
  const told = liesOf(STATUS);
  const targets = [...jobOf(told.map((_, index) => `lie${index}`)).targets];
  const controller = controllerWith({
    status: async ({ certname }) => {
      const parsed = v.safeParse(StatusSchema, JSON.parse(told[Number(certname.slice(3))]?.text ?? ''));
      if (!parsed.success) throw garbage();
      return parsed.output;
    },
  });
  const answers = await controller.status({ targets });
  const answered = answers.filter(({ status }) => status !== undefined);
  expect(answered.length).toBeGreaterThan(100);
  expect(wrongIn(answers.map(stateText).join('\n'))).toEqual([]);
  const { summary } = await controller.summary({ targets });
  expect(wrongIn(summaryText(summary))).toEqual([]);
  expect(wrongIn(JSON.stringify(summary))).toEqual([]);
  expect((await controller.count({ targets })).hosts).toBe(told.length);
  const patients = await controller.doctor({ targets });
  expect(wrongIn(doctorText(patients))).toEqual([]);
  expect(JSON.parse(safeJson(patients))).toHaveLength(patients.length);
  expect(silentLines(answers).some((line) => line.includes('not what kick agent says'))).toBe(true);
});

test('no refusal and no reply ends a kick or a command', async () => {
  const told = [...liesOf(REFUSAL), ...liesOf(REPLY)];
  const refused = (certname: string) => {
    const parsed = v.safeParse(RefusalSchema, JSON.parse(told[Number(certname.slice(3))]?.text ?? ''));
    if (!parsed.success) throw garbage();
    throw new SendError('refused', 'refused', { arrived: false, refusal: parsed.output });
  };
  const controller = controllerWith({
    submit: async ({ certname }) => refused(certname),
    command: async ({ certname }) => {
      const parsed = v.safeParse(CommandReplySchema, JSON.parse(told[Number(certname.slice(3))]?.text ?? ''));
      return parsed.success ? parsed.output : refused(certname);
    },
  });
  const refusing = { ...jobOf(told.map((_, index) => `lie${index}`)), id: uuidv7(Date.now()) };
  const { written, on, close } = reporters();
  const { results } = await controller.run({ job: refusing, settings: SETTINGS }, { onEvent: on });
  await close();
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['refused', 'lost']));
  expect(wrongIn(Object.values(written).join('\n'))).toEqual([]);
  expect(await showJob(controller, 'last', { format: 'human' })).toContain('refused');
  const order = { action: { op: 'cancel' }, by: refusing.by } as const;
  const answers = await controller.command({ targets: [...refusing.targets] }, order);
  expect(answers).toHaveLength(told.length);
  expect(answers.filter(({ reply }) => reply !== undefined).length).toBeGreaterThan(5);
});
