/**
 * Server-sent events: the news of a job, a few times a second, as lists. Each message has the number of its last news as
 * id, and a client that comes back with `Last-Event-ID` is told what came after it. A client that reads too slowly is
 * disconnected, and resumes.
 */
import type { Request, Response } from 'express';
import { ApiProblem } from '../../api/problem.ts';
import { ROUTES } from '../../api/routes.ts';
import { authenticate } from '../access/authenticate.ts';
import type { ServerContext } from '../context.ts';
import { storedJob } from '../handlers/jobs.ts';
import type { Feed, Feeds } from '../jobs/feeds.ts';
import { inputOf } from './input.ts';
import type { SpecialWork } from './mount.ts';

/** Milliseconds for which news are collected, and between signs of life. */
const EVERY_MS = 200;
const HEARTBEAT_MS = 15_000;

/** News in a message: a client that comes late to a large job gets it in parts. */
const MAX_NEWS = 2000;

/** Bytes that may wait for a client. */
const MAX_WAITING = 4 << 20;

/** Streams at once. */
const MAX_STREAMS = 500;

export function streamWork({ controller, doors }: ServerContext, feeds: Feeds): SpecialWork {
  let streams = 0;
  return async (request: Request, response: Response) => {
    const { params } = await inputOf(ROUTES.streamJob, request);
    const { job } = await storedJob(controller, params.job);
    if (streams >= MAX_STREAMS) throw new ApiProblem('unavailable', `${MAX_STREAMS} clients watch already`);
    streams += 1;
    response.on('close', () => (streams -= 1));
    const after = lastSeen(request);
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    send(feeds.of(job.id), response, {
      from: after + 1,
      mayStay: async () => (await authenticate(request, doors, { isUse: false })) !== undefined,
    });
  };
}

/** -1: nothing yet. Throws `ApiProblem` `bad-request`. */
function lastSeen(request: Request): number {
  const given = request.headers['last-event-id'];
  if (given === undefined || given === '') return -1;
  if (typeof given === 'string' && /^\d{1,9}$/.test(given)) return Number(given);
  throw new ApiProblem('bad-request', 'Last-Event-ID: not a number of ours');
}

interface Sending {
  from: number;
  /** Whether the client still has a session, a token or an account. */
  mayStay(): Promise<boolean>;
}

function send(feed: Feed, response: Response, { from, mayStay }: Sending): void {
  let next = from;
  let timer: NodeJS.Timeout | undefined;
  const heartbeat = setInterval(async () => {
    if (await mayStay().catch(() => true)) response.write(': alive\n\n');
    else response.end();
  }, HEARTBEAT_MS);
  const unwatch = feed.watch(() => (timer ??= setTimeout(flush, EVERY_MS)));
  response.on('close', () => {
    unwatch();
    clearInterval(heartbeat);
    clearTimeout(timer);
  });

  function flush(): void {
    timer = undefined;
    while (next < feed.news.length) {
      if (response.writableLength > MAX_WAITING) return void response.destroy();
      const news = feed.news.slice(next, next + MAX_NEWS);
      next += news.length;
      response.write(`id: ${next - 1}\ndata: [${news.join(',')}]\n\n`);
    }
    if (feed.isOver) response.end('event: over\ndata: {}\n\n');
  }
  flush();
}
