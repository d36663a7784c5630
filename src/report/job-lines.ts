/** What is printed of a job while it lasts, apart from the live area: events in, lines out. */
import { holderOf } from '../controller/fleet/holder.ts';
import type { JobEvent } from '../controller/jobs/job.ts';
import { plural, safeText } from '../util/text.ts';
import { dayTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import type { AboveOptions } from './live-area.ts';
import type { Paint } from './paint.ts';
import { hostLine } from './summary.ts';
import { whoOf } from './words.ts';

export interface Line extends AboveOptions {
  text: string;
}

export interface LinesOptions {
  paint: Paint;
  /** Puppet's log lines, too. */
  verbose: boolean;
}

const toErr = (text: string): Line => ({ to: 'err', text, indent: 2 });

/** The same in a terminal and in a pipe. */
export function jobLines(event: JobEvent, { verbose }: Pick<LinesOptions, 'verbose'>): Line[] {
  switch (event.type) {
    case 'job-started':
      return [toErr(startText(event))];
    case 'host-event':
      return verbose ? logLines(event) : [];
    case 'batch': {
      const what = event.isCanary ? 'canary' : `batch ${event.number} of ${event.of}`;
      return [toErr(`${what}: ${plural(event.hosts, 'host')}`)];
    }
    case 'pause':
      return [
        toErr(event.until === undefined ? 'asking whether to go on' : `pause until ${dayTime(event.until)}`),
      ];
    case 'window':
      return [toErr(`at most ${event.size} of ${event.most} at once: ${safeText(event.why)}`)];
    case 'stopping':
      return [toErr(`no more hosts are started: ${safeText(event.message)}`)];
    default:
      return [];
  }
}

/** In a pipe: what becomes of each host. */
export function plainLines(event: JobEvent, { paint }: Pick<LinesOptions, 'paint'>): Line[] {
  if (event.type === 'host-done') return [toErr(hostLine(event.result, [event.result], paint))];
  if (event.type === 'host-retry')
    return [toErr(`  ${event.certname}  asking again: ${safeText(event.message)}`)];
  if (event.type !== 'host-event') return [];
  const { certname, event: inner } = event;
  if (inner.type === 'started') return [toErr(`  ${certname}  running`)];
  if (inner.type === 'waiting') return [toErr(`  ${certname}  waiting  for ${holderOf(inner.holder)}`)];
  return [];
}

function startText({ job }: JobEvent & { type: 'job-started' }): string {
  const hosts = plural(job.targets.length, 'host');
  return `job ${shortId(job.id)}  ${hosts}  by ${whoOf(job)}  at most ${job.concurrency} at once`;
}

function logLines({ certname, event }: JobEvent & { type: 'host-event' }): Line[] {
  if (event.type === 'dropped')
    return [{ to: 'out', text: `${certname}: … ${event.bytes} bytes of output are not kept` }];
  if (event.type !== 'log') return [];
  return event.lines.map(({ level, source, message }) => {
    const from = source === undefined ? '' : `${source}: `;
    return { to: 'out', text: safeText(`${certname}: ${level}: ${from}${message}`), indent: 4 };
  });
}
