/**
 * Server-sent events: the news of a job, a few times a second, as lists. Each message has the job and the number of its
 * last news as id, and a client that comes back with `Last-Event-ID` is told what came after it. A client that reads too slowly is
 * disconnected, and resumes.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Request, Response } from 'express';
import { ApiProblem } from '../../api/problem.ts';
import { ROUTES } from '../../api/routes.ts';
import { authenticate } from '../access/authenticate.ts';
import type { Caller } from '../access/caller.ts';
import { seesSome, sightOf } from '../access/may.ts';
import type { ServerContext } from '../context.ts';
import { foundJob } from '../handlers/jobs.ts';
import { type Feed, type Feeds, numberIn } from '../jobs/feeds.ts';
import { inputOf } from './input.ts';
import type { SpecialWork } from './mount.ts';
import { openStreamPlaces } from './stream-places.ts';

/** Milliseconds between signs of life, and for which a client may be behind. */
const HEARTBEAT_MS = 15_000;
const BEHIND_MS = 30_000;

/** Bytes that may wait for a client; it gets more when it has taken them. */
const MAX_WAITING = 256 << 10;

export function streamWork(
  { controller, recentJob, doors }: Pick<ServerContext, 'controller' | 'recentJob' | 'doors'>,
  feeds: Feeds,
  { behindMs = BEHIND_MS, places = openStreamPlaces() } = {},
): SpecialWork {
  return async (request: Request, response: Response, caller: Caller | undefined) => {
    const { params } = await inputOf(ROUTES.streamJob, request);
    const { job } = await foundJob(recentJob, params.job);
    const limits = caller?.limits ?? [];
    const sees = await sightOf({ limits }, controller);
    const mayStay = async () =>
      isDeepStrictEqual((await authenticate(request, doors, { isUse: false }))?.limits, limits);
    const after = lastSeen(request, job.id);
    const of = { address: request.socket.remoteAddress ?? '', person: caller?.name ?? '' };
    response.on('close', places.take(of));
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    send(feeds.of(job.id), response, {
      ...{ last: after, behindMs, mayStay },
      ...(seesSome({ limits }) && { sees }),
    });
  };
}

/** -1: nothing yet. Throws `ApiProblem` `bad-request`: after a number of another job's, news of this one would be missed. */
function lastSeen(request: Request, job: string): number {
  const given = request.headers['last-event-id'];
  if (given === undefined || given === '') return -1;
  const number = numberIn(String(given), job);
  if (number !== undefined) return number;
  throw new ApiProblem('bad-request', 'Last-Event-ID: not an id of this stream', {
    hint: 'without it the stream begins with the first news',
  });
}

interface Sending {
  /** The number of the last news that the client has. */
  last: number;
  behindMs: number;
  /** Whether the client still has a session, a token or an account, with the same limits. */
  mayStay(): Promise<boolean>;
  /** Of whose hosts it is told; absent: of all. */
  sees?(certname: string): boolean;
}

function send(feed: Feed, response: Response, { last: seen, behindMs, mayStay, sees }: Sending): void {
  let last = seen;
  let behind: NodeJS.Timeout | undefined;
  const heartbeat = setInterval(async () => {
    if (!(await mayStay().catch(() => true))) response.end();
    else if (behind === undefined) response.write(': alive\n\n');
  }, HEARTBEAT_MS);
  const unwatch = feed.watch(flush);
  response.on('drain', () => {
    clearTimeout(behind);
    behind = undefined;
    flush();
  });
  response.on('close', () => {
    unwatch();
    clearInterval(heartbeat);
    clearTimeout(behind);
  });

  function flush(): void {
    if (behind !== undefined || response.writableEnded) return;
    for (let message = feed.after(last); message !== undefined; message = feed.after(last)) {
      last = message.last;
      response.write(sees === undefined ? message.bytes : message.seenBy(sees));
      if (response.writableLength <= MAX_WAITING) continue;
      behind = setTimeout(() => response.destroy(), behindMs);
      return;
    }
    if (!feed.isOver) return;
    response.end('event: over\ndata: {}\n\n');
    behind = setTimeout(() => response.destroy(), behindMs);
  }
  flush();
}
