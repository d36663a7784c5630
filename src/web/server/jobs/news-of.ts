/** From an event of a job to the news of its stream; undefined for what the stream leaves out. */
import type { JobEvent } from '../../../controller/jobs/job.ts';
import { clip } from '../../../util/text.ts';
import type { News } from '../../api/news.ts';
import { changedBy } from '../handlers/job-view.ts';

const MAX_MESSAGE = 300;

export function newsOf(event: JobEvent): News | undefined {
  const { at } = event;
  switch (event.type) {
    case 'job-started': {
      const { id, targets, concurrency } = event.job;
      return { type: 'job', at, id, hosts: targets.length, concurrency };
    }
    case 'host-dispatched':
      return { type: 'host', at, certname: event.certname, state: 'asked' };
    case 'host-retry':
      return {
        type: 'host',
        at,
        certname: event.certname,
        state: 'retrying',
        message: clip(event.message, MAX_MESSAGE),
      };
    case 'host-event':
      return hostNews(event);
    case 'host-done': {
      const { certname, outcome, message, startedAt } = event.result;
      return {
        ...{ type: 'end', at, certname, outcome, changed: changedBy(event.result) },
        ...(message !== undefined && { message: clip(message, MAX_MESSAGE) }),
        ...(startedAt !== undefined && { startedAt }),
      };
    }
    case 'batch':
    case 'pause':
    case 'window':
    case 'stopping':
      return event;
    case 'job-done':
      return { type: 'done', at, ...(event.stopped !== undefined && { stopped: event.stopped }) };
    default:
      return undefined;
  }
}

function hostNews({ at, certname, event }: JobEvent & { type: 'host-event' }): News | undefined {
  if (event.type === 'accepted') return { type: 'host', at, certname, state: 'accepted' };
  if (event.type === 'started') return { type: 'host', at, certname, state: 'running' };
  if (event.type !== 'waiting') return undefined;
  return { type: 'host', at, certname, state: 'waiting', message: clip(event.holder.what, MAX_MESSAGE) };
}
