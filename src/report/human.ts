/** For people: what happens now (rows on a terminal, lines in a pipe), and at the end how it ended. */

import { holderOf } from '../controller/fleet/holder.ts';
import type { HostResult, JobEvent } from '../controller/jobs/job.ts';
import { formatDuration } from '../util/duration.ts';
import { clip, plural, safeText } from '../util/text.ts';
import { dayTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import { createLiveArea, type LiveArea } from './live-area.ts';
import { painter } from './paint.ts';
import { followProgress, type HostState, type Progress } from './progress.ts';
import type { Output, Reporter } from './reporter.ts';
import { hostLine, summaryOf } from './summary.ts';
import { whoOf } from './words.ts';

export interface HumanOptions extends Output {
  isTty: boolean;
  color: boolean;
  columns(): number;
  /** Puppet's log lines, live. */
  verbose: boolean;
  now(): number;
}

/** Rows of running hosts at the most. */
const MAX_ROWS = 10;
const REDRAW_MS = 250;

export function humanReporter(options: HumanOptions): Reporter {
  const { out, err, isTty, verbose, now } = options;
  const paint = painter(options.color);
  const progress = followProgress();
  const area: LiveArea | undefined = isTty ? createLiveArea(err, options.columns) : undefined;
  // A question stands below the rows: drawn again, they would cover it.
  let isAsking = false;
  const timer = area && setInterval(() => isAsking || area.draw(rowsOf(progress.now(), now())), REDRAW_MS);
  timer?.unref();

  /** A line that stays, above the rows. */
  const say = (line: string) => (area === undefined ? err(`${line}\n`) : area.above(() => err(`${line}\n`)));
  const print = (line: string) =>
    area === undefined ? out(`${line}\n`) : area.above(() => out(`${line}\n`));

  function start({ job }: JobEvent & { type: 'job-started' }): void {
    const hosts = plural(job.targets.length, 'host');
    say(`job ${shortId(job.id)}  ${hosts}  by ${whoOf(job)}  at most ${job.concurrency} at once`);
  }

  function hostEvent({ certname, event }: JobEvent & { type: 'host-event' }): void {
    if (event.type === 'log' && verbose) {
      for (const { level, source, message } of event.lines) {
        const from = source === undefined ? '' : `${source}: `;
        print(safeText(`${certname}: ${level}: ${from}${message}`));
      }
    }
    if (event.type === 'dropped' && verbose)
      print(`${certname}: … ${event.bytes} bytes of output are not kept`);
    if (isTty) return;
    if (event.type === 'started') say(`  ${certname}  running`);
    if (event.type === 'waiting') say(`  ${certname}  waiting  for ${holderOf(event.holder)}`);
  }

  function done(result: HostResult): void {
    if (!isTty) say(hostLine(result, [result], paint));
  }

  return {
    on(event) {
      progress.on(event);
      if (event.type === 'batch' || event.type === 'stopping') isAsking = false;
      switch (event.type) {
        case 'job-started':
          return start(event);
        case 'host-event':
          return hostEvent(event);
        case 'host-retry':
          if (!isTty) say(`  ${event.certname}  asking again: ${safeText(event.message)}`);
          return;
        case 'host-done':
          return done(event.result);
        case 'batch': {
          const what = event.isCanary ? 'canary' : `batch ${event.number} of ${event.of}`;
          return say(`${what}: ${plural(event.hosts, 'host')}`);
        }
        case 'pause':
          if (event.until !== undefined) return say(`pause until ${dayTime(event.until)}`);
          isAsking = true;
          area?.draw([]);
          return say('the operator is asked whether to go on');
        case 'window':
          return say(`at most ${event.size} of ${event.most} at once: ${safeText(event.why)}`);
        case 'stopping':
          return say(`no more hosts are started: ${event.message}`);
        case 'job-done': {
          area?.draw([]);
          const { job, startedAt, dispatchMs, stopped } = progress.now();
          if (job === undefined) return;
          const { results, at: endedAt } = event;
          out(`\n${summaryOf({ job, results, startedAt, endedAt, dispatchMs, stopped, paint })}`);
        }
      }
    },
    close() {
      clearInterval(timer);
      area?.draw([]);
    },
  };
}

function rowsOf(progress: Progress, now: number): string[] {
  const { job, hosts, results, startedAt } = progress;
  if (job === undefined) return [];
  const states = [...hosts];
  const width = Math.max(0, ...states.slice(0, MAX_ROWS).map(([name]) => name.length));
  const rows = states.slice(0, MAX_ROWS).map(([name, state]) => rowOf(name.padEnd(width), state, now));
  const count = (wanted: HostState['state']) => states.filter(([, { state }]) => state === wanted).length;
  const total = job.targets.length;
  const parts = [
    `${results.length}/${total} done`,
    `${count('running')} running`,
    ...(count('waiting') > 0 ? [`${count('waiting')} waiting`] : []),
    formatDuration(now - startedAt),
    ...etaOf(progress, now),
  ];
  return [...rows, `${parts.join('   ')}      Ctrl-C leaves Puppet running`];
}

function rowOf(name: string, state: HostState, now: number): string {
  const since = formatDuration(now - state.since).padStart(4);
  switch (state.state) {
    case 'asked':
      return `  ${name}  asked    ${since}  ${safeText(state.note ?? '')}`;
    case 'waiting':
      return `  ${name}  waiting  ${since}  for ${holderOf(state.holder)}`;
    case 'running':
      return `  ${name}  running  ${since}  ${safeText(clip(state.last ?? '', 200))}`;
  }
}

/** While many are left: as fast as until now. */
function etaOf({ job, results, startedAt }: Progress, now: number): string[] {
  const left = (job?.targets.length ?? 0) - results.length;
  if (results.length < 5 || left < 10) return [];
  return [`about ${formatDuration(((now - startedAt) / results.length) * left)} left`];
}
