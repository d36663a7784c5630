/**
 * The news of jobs, for everybody who watches: a job is followed once, however many watch it, and what has been said is
 * kept as text, so that a viewer who comes late or again is told the rest without another reading of the job's log. News
 * are collected for a while; of what is said of one host in it, only the last is told. A message is made once for all.
 */
import type { Controller } from '../../../controller/controller.ts';
import { messageOf } from '../../../errors.ts';
import type { Clock } from '../../../util/clock.ts';
import { shortId } from '../../../util/uuid.ts';
import type { News } from '../../api/news.ts';
import { newsOf } from './news-of.ts';

/** Milliseconds for which news are kept after the last viewer has left. */
const KEPT_MS = 60_000;

/** Milliseconds for which news are collected, and for each viewer more: a crowd is told as much less often. */
const EVERY_MS = 200;
const MORE_PER_VIEWER_MS = 6;
const MOST_MS = 1000;

/** News in a message: a viewer who comes late to a large job gets it in parts. */
const MAX_NEWS = 1000;

export interface Message {
  /** The number of its last news. */
  last: number;
  /** For those who may see all hosts. */
  bytes: Buffer;
  /** For those who may see only some: without the news of others. */
  seenBy(sees: (certname: string) => boolean): Buffer;
}

export interface Feed {
  /** A part of what came after the news of this number (-1: before the first), as a server-sent event; undefined: nothing did. */
  after(last: number): Message | undefined;
  /** Nothing will be added. */
  readonly isOver: boolean;
  /** Calls `onNews` when there is more; returns what ends it. */
  watch(onNews: () => void): () => void;
}

export interface Feeds {
  /** `job` is a whole id. */
  of(job: string): Feed;
  close(): void;
}

interface OpenFeed extends Feed, Pick<Collector, 'add' | 'end'> {
  viewers: Set<() => void>;
  ending: AbortController;
  timer?: NodeJS.Timeout;
}

/** `onDone`: called before anybody is told that a job is over. */
export function openFeeds(controller: Controller, clock: Clock, onDone: (job: string) => void): Feeds {
  const feeds = new Map<string, OpenFeed>();

  function open(job: string): OpenFeed {
    const viewers = new Set<() => void>();
    const collector = createCollector(job, viewers);
    const feed: OpenFeed = {
      ...{ viewers, ending: new AbortController(), after: collector.after, add: collector.add },
      end: collector.end,
      get isOver() {
        return collector.isOver;
      },
      watch(onNews) {
        clearTimeout(feed.timer);
        viewers.add(onNews);
        return () => {
          viewers.delete(onNews);
          if (viewers.size === 0) forgetLater(job, feed);
        };
      },
    };
    feeds.set(job, feed);
    forgetLater(job, feed);
    void fill(feed, newsOfJob(job, feed.ending.signal, { controller, clock }), () => onDone(job));
    return feed;
  }

  function forgetLater(job: string, feed: OpenFeed): void {
    clearTimeout(feed.timer);
    feed.timer = setTimeout(() => forget(job, feed), KEPT_MS);
    feed.timer.unref();
  }

  function forget(job: string, feed: OpenFeed): void {
    clearTimeout(feed.timer);
    feed.ending.abort();
    if (feeds.get(job) === feed) feeds.delete(job);
  }

  return {
    of(job) {
      const known = feeds.get(job);
      // A job that was over may have been resumed since.
      if (known !== undefined && !(known.isOver && known.viewers.size === 0)) return known;
      return open(job);
    },
    close() {
      for (const [job, feed] of [...feeds]) forget(job, feed);
    },
  };
}

async function fill(feed: OpenFeed, all: AsyncIterable<News>, onDone: () => void): Promise<void> {
  for await (const news of all) {
    if (news.type === 'done' || news.type === 'died') onDone();
    feed.add(news);
  }
  feed.end();
}

interface Collector extends Pick<Feed, 'after' | 'isOver'> {
  add(news: News): void;
  end(): void;
}

interface Numbered {
  /** Its place among all news of the job, those that are left out as well: the same for any who follow it. */
  number: number;
  text: string;
  /** The host that it is about. */
  certname: string | undefined;
  /** For those who may see only some hosts: it is not about all of them. */
  isForAll: boolean;
}

/** The id of a message; `numberIn` reads it again. */
const idOf = (number: number, job: string) => `${number}-${shortId(job)}`;

/** The number in the id of a message of this job; undefined: it is another's, or none. */
export function numberIn(id: string, job: string): number | undefined {
  const [, number = ''] = /^(\d{1,9})-/.exec(id) ?? [];
  return id === idOf(Number(number), job) ? Number(number) : undefined;
}

function createCollector(job: string, viewers: ReadonlySet<() => void>): Collector {
  const kept: Numbered[] = [];
  /** Messages by the place of their first: nearly all viewers wait for the same one. */
  const made = new Map<number, Message>();
  let collected: News[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  function tell(): void {
    timer = undefined;
    const first = next - collected.length;
    for (const [index, news] of lastOfEach(collected)) kept.push(numbered(first + index, news));
    collected = [];
    made.clear();
    for (const viewer of viewers) viewer();
  }

  function after(last: number): Message | undefined {
    const from = firstAfter(kept, last);
    const end = Math.min(from + MAX_NEWS, kept.length);
    const newest = kept[end - 1];
    if (newest === undefined || from >= end) return undefined;
    const known = made.get(from);
    if (known !== undefined) return known;
    const part = kept.slice(from, end);
    const bytesOf = (some: readonly Numbered[]) =>
      Buffer.from(`id: ${idOf(newest.number, job)}\ndata: [${some.map(({ text }) => text).join(',')}]\n\n`);
    const message: Message = {
      ...{ last: newest.number, bytes: bytesOf(part) },
      seenBy: (sees) =>
        bytesOf(
          part.filter(({ certname, isForAll }) => (certname === undefined ? isForAll : sees(certname))),
        ),
    };
    made.set(from, message);
    return message;
  }

  return {
    after,
    get isOver() {
      return isOver;
    },
    add(news) {
      collected.push(news);
      next += 1;
      timer ??= setTimeout(tell, Math.min(EVERY_MS + viewers.size * MORE_PER_VIEWER_MS, MOST_MS));
    },
    end() {
      clearTimeout(timer);
      isOver = true;
      tell();
    },
  };
}

/** The place of the first that comes after the news of a number. */
function firstAfter(kept: readonly Numbered[], last: number): number {
  let [low, high] = [0, kept.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((kept[middle]?.number ?? 0) > last) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** With their places; of those that say where a host stands, the last of each host. */
function lastOfEach(all: readonly News[]): [number, News][] {
  const lastOf = new Map<string, number>();
  for (const [index, news] of all.entries()) if (isOfHost(news)) lastOf.set(news.certname, index);
  return [...all.entries()].filter(([index, news]) => !isOfHost(news) || lastOf.get(news.certname) === index);
}

const numbered = (number: number, news: News): Numbered => ({
  ...{ number, text: JSON.stringify(news), certname: certnameIn(news) },
  isForAll: !TOTALS.includes(news.type),
});

/** What is said of all hosts of a job together. */
const TOTALS: readonly News['type'][] = ['job', 'batch', 'window', 'stopping'];

const certnameIn = (news: News) => ('certname' in news ? news.certname : undefined);

const isOfHost = (news: News) => news.type === 'host' || news.type === 'end';

/** Never throws: a job that nobody runs any more says so. */
async function* newsOfJob(
  job: string,
  signal: AbortSignal,
  { controller, clock }: { controller: Controller; clock: Clock },
): AsyncGenerator<News> {
  try {
    for await (const event of controller.follow(job, { signal })) {
      const news = newsOf(event);
      if (news !== undefined) yield news;
    }
  } catch (error) {
    yield { type: 'died', at: clock.now(), message: messageOf(error) };
  }
}
