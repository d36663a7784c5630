/**
 * The news of jobs, for everybody who watches: a job is followed once, however many watch it, and what has been said is
 * kept as text, so that a viewer who comes late or again is told the rest without another reading of the job's log.
 */
import type { Controller } from '../../../controller/controller.ts';
import { messageOf } from '../../../errors.ts';
import type { Clock } from '../../../util/clock.ts';
import type { News } from '../../api/news.ts';
import { newsOf } from './news-of.ts';

/** Milliseconds for which news are kept after the last viewer has left. */
const KEPT_MS = 60_000;

export interface Feed {
  /** News as JSON, by their number from 0. */
  readonly news: readonly string[];
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

interface OpenFeed extends Feed {
  news: string[];
  isOver: boolean;
  viewers: Set<() => void>;
  ending: AbortController;
  timer?: NodeJS.Timeout;
}

export function openFeeds(controller: Controller, clock: Clock): Feeds {
  const feeds = new Map<string, OpenFeed>();

  function open(job: string): OpenFeed {
    const feed: OpenFeed = {
      news: [],
      isOver: false,
      viewers: new Set(),
      ending: new AbortController(),
      watch(onNews) {
        clearTimeout(feed.timer);
        feed.viewers.add(onNews);
        return () => {
          feed.viewers.delete(onNews);
          if (feed.viewers.size === 0) forgetLater(job, feed);
        };
      },
    };
    feeds.set(job, feed);
    forgetLater(job, feed);
    void fill(feed, newsOfJob(job, feed.ending.signal, { controller, clock }));
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

async function fill(feed: OpenFeed, all: AsyncIterable<News>): Promise<void> {
  const tell = () => {
    for (const viewer of feed.viewers) viewer();
  };
  for await (const news of all) {
    feed.news.push(JSON.stringify(news));
    tell();
  }
  feed.isOver = true;
  tell();
}

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
