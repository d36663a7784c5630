/** What must be true of a site whatever was done to it. Everything here throws when it is not. */
import { execFile } from 'node:child_process';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { type IncomingEvent, SendError } from '../../src/transport/transport.ts';
import { sleep } from '../../src/util/clock.ts';
import { KICK } from '../program.ts';
import type { Ground } from './faults.ts';
import type { Host } from './host.ts';
import { objectionOf, unrestOf } from './puppet-evidence.ts';

/** Milliseconds for a job to be over once nothing is wrong any more. */
const OVER_MS = 240_000;
/** File times and clocks of processes that started at once differ by this. */
const TICK_MS = 20;

export class BrokenPromise extends Error {}

/** Of an agent that knows the job. */
interface Told {
  finished: FinishedEvent;
  /** The run that served it, by its own word. */
  run: string | undefined;
}

/** Waits until every job is over, and compares what was said with what happened. Returns how often each outcome was. */
export async function checkJobs(ground: Ground, jobs: readonly string[]): Promise<Record<string, number>> {
  const results = new Map<string, Result[] | undefined>();
  for (const job of jobs) results.set(job, await resultsOf(ground, job));
  // What runs have noted is whole only now.
  const journals = new Map(ground.site.hosts.map((host) => [host.name, noted(host)]));
  const outcomes: Record<string, number> = {};
  for (const [job, rows] of results) {
    if (rows === undefined) outcomes['(damaged)'] = (outcomes['(damaged)'] ?? 0) + 1;
    for (const { certname, outcome = 'none' } of rows ?? []) {
      if (outcome === 'none' && ground.damagedJobs.has(job)) continue;
      const host = ground.site.hosts.find(({ name }) => name === certname);
      const journal = journals.get(certname);
      if (host === undefined || journal === undefined)
        throw new BrokenPromise(`job ${job} has a host that nobody named: ${certname}`);
      checkOutcome(ground, { job, host, outcome, told: await toldBy(ground, host, job), journal });
      const kind = host.puppet === undefined ? outcome : `${outcome}, by Puppet`;
      outcomes[kind] = (outcomes[kind] ?? 0) + 1;
    }
  }
  return outcomes;
}

interface Result {
  certname: string;
  outcome?: string;
}

interface Noted {
  /** Nanoseconds since 1970, by the run's id. */
  began: Map<string, number>;
  ended: Set<string>;
}

/** Throws if two runs were alive at once. */
function noted(host: Host): Noted {
  const lines = host.journal();
  const together = lines.filter((line) => line.startsWith('not alone'));
  if (together.length > 0) throw new BrokenPromise(`${host.name}: two runs at once: ${together.join('; ')}`);
  const unwritten = lines.find((line) => line.startsWith('not written'));
  if (unwritten !== undefined) throw new BrokenPromise(`${host.name}: ${unwritten}`);
  const noted = (word: string) => lines.map((line) => line.split(' ')).filter(([first]) => first === word);
  const began = noted('begin').map(([, id = '', ns]): [string, number] => [id, Number(ns)]);
  const twice = began.find(([id], index) => began.findIndex(([other]) => other === id) < index);
  if (twice !== undefined) throw new BrokenPromise(`${host.name}: the run ${twice[0]} began twice`);
  return { began: new Map(began), ended: new Set(noted('end').map(([, id = '']) => id)) };
}

interface Claim {
  job: string;
  host: Host;
  /** What the controller says. */
  outcome: string;
  /** What the agent says; undefined: it knows nothing of the job. */
  told: Told | undefined;
  journal: Noted;
}

/** Outcomes by which the controller says that the agent did not take the request. */
const NOT_TAKEN = ['unreachable', 'refused', 'not-started'];
/** Outcomes that it may give without the agent's word, whatever that would be. */
const OWN = ['lost', 'unfinished', 'cancelled'];

function checkOutcome(ground: Ground, { job, host, outcome, told, journal }: Claim): void {
  const fail = (why: string) => {
    const said = told === undefined ? 'nothing' : JSON.stringify(told);
    throw new BrokenPromise(`${host.name}, job ${job}: ${outcome}, but ${why}; its agent says ${said}`);
  };
  const wasDamaged = (ground.damaged.get(host.name) ?? 0) >= (ground.work.askedAt.get(job) ?? 0);
  if (outcome === 'none') fail('that is no outcome');
  if (told === undefined) {
    // Its record may have been what was damaged.
    if (!NOT_TAKEN.includes(outcome) && !OWN.includes(outcome) && !wasDamaged)
      fail('it knows nothing of the job');
  } else if (NOT_TAKEN.includes(outcome)) {
    fail('it took the request');
  } else if (!OWN.includes(outcome) && told.finished.outcome !== outcome && !wasDamaged) {
    fail('it says something else');
  }
  if (wasDamaged || told === undefined) return;
  const objection = host.puppet && objectionOf(told.finished, host.puppet);
  if (objection !== undefined) fail(objection);
  if (outcome !== 'changed' && outcome !== 'unchanged') return;
  const id = host.puppet === undefined ? (told.run ?? runAt(told.finished, journal)) : told.finished.run;
  if (id === undefined) {
    // Of a clock that was wrong, times say nothing, and a full disk takes what a run prints.
    if (!ground.lostTime.has(host.name)) fail('no run has noted anything then');
    return;
  }
  if (!journal.ended.has(id)) fail(`the run ${id} never came to its end`);
  const askedAt = ground.work.askedAt.get(job);
  const beganAt = (journal.began.get(id) ?? 0) / 1e6;
  if (askedAt !== undefined && beganAt + TICK_MS < askedAt)
    fail(`the run ${id} began ${Math.round(askedAt - beganAt)} ms before it was asked for`);
}

/** After a job of all hosts: Puppet says the same of its run, and comes to rest. Jobs of the schedule may follow it. */
export async function checkPuppets({ site }: Ground, job: string): Promise<void> {
  for (const { puppet, ...host } of site.hosts) {
    if (puppet === undefined) continue;
    const told = await askOnce(site, host, job);
    const objection = told === undefined ? 'it knows nothing of it' : objectionOf(told.finished, puppet);
    if (objection !== undefined) throw new BrokenPromise(`${host.name}, job ${job}: ${objection}`);
    const until = performance.now() + OVER_MS;
    for (let unrest = unrestOf(puppet); unrest !== undefined; unrest = unrestOf(puppet)) {
      if (performance.now() > until) throw new BrokenPromise(`${host.name}: ${unrest}`);
      await sleep(50);
    }
  }
}

/** The run that began while the agent says that it did. */
function runAt({ startedAt = 0, endedAt }: FinishedEvent, { began }: Noted): string | undefined {
  const found = [...began].find(([, ns]) => ns / 1e6 >= startedAt - TICK_MS && ns / 1e6 <= endedAt);
  return found?.[0];
}

/** The outcomes of a job that is over; one that nobody follows any more is resumed. Undefined: the server has damaged files of it, and says so. */
async function resultsOf({ site, damagedJobs }: Ground, job: string): Promise<Result[] | undefined> {
  const isDamaged = damagedJobs.has(job);
  const ask = isDamaged ? site.look : site.ask;
  const until = performance.now() + OVER_MS;
  for (let resumes = 0; ; ) {
    const found = await ask(`jobs/${job}`);
    if (found?.state === 'done') return (await ask(`jobs/${job}/hosts?limit=9999`))?.hosts;
    // What cannot be told can perhaps be gone on with.
    if (isDamaged && resumes > 0 && found?.state !== 'running') return undefined;
    if (performance.now() > until) throw new BrokenPromise(`job ${job} does not end: ${found?.state}`);
    if (found?.state !== 'running') {
      await resume(site.kickArgs, job);
      resumes += 1;
    }
    await sleep(50);
  }
}

/** Resolves at its end; its exit code is that of the outcomes. */
function resume(kickArgs: readonly string[], job: string): Promise<void> {
  const [program = '', ...words] = [...KICK, 'jobs', 'resume', job, '--quiet', ...kickArgs];
  return new Promise((resolve) => {
    execFile(program, words, { timeout: OVER_MS, maxBuffer: Number.POSITIVE_INFINITY }, () => resolve());
  });
}

/** Asks the agent twice: what it says must not change. */
async function toldBy({ site }: Ground, host: Host, job: string): Promise<Told | undefined> {
  const [first, second] = [await askOnce(site, host, job), await askOnce(site, host, job)];
  const [one, other] = [first, second].map((told) => JSON.stringify(withoutTimes(told)));
  if (one !== other)
    throw new BrokenPromise(`${host.name}, job ${job}: two outcomes: ${JSON.stringify([first, second])}`);
  return first;
}

/** When a damaged record ended, nobody knows, and it is told anew each time. */
function withoutTimes(told: Told | undefined): object | undefined {
  if (told?.finished.message?.startsWith('the record is damaged') !== true) return told;
  return { ...told, finished: { ...told.finished, at: 0, endedAt: 0 } };
}

async function askOnce(
  site: Ground['site'],
  host: Pick<Host, 'name' | 'address' | 'port'>,
  job: string,
): Promise<Told | undefined> {
  const target = { certname: host.name, host: host.address, port: host.port };
  const until = performance.now() + OVER_MS;
  for (;;) {
    try {
      const events = await site.sender.resume(target, {
        job,
        after: 0,
        signal: new AbortController().signal,
      });
      return await read(events);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      const code = error.refusal?.code;
      if (code === 'unknown-job' || code === 'gone') return undefined;
      if (performance.now() > until)
        throw new BrokenPromise(`${host.name} does not tell of job ${job}: ${error.message}`);
    }
    await sleep(50);
  }
}

/** Throws `SendError` if the stream breaks before its end. */
async function read(events: AsyncIterable<IncomingEvent>): Promise<Told> {
  let run: string | undefined;
  for await (const event of events) {
    if (event.type === 'log') {
      for (const { message } of event.lines) if (message.startsWith('run ')) run = message.slice(4);
    } else if (event.type === 'finished') {
      return { finished: event, run };
    }
  }
  throw new SendError('no-answer', 'the stream ended before its end', { arrived: true });
}
