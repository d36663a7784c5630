/**
 * What is known of a job in progress: its hosts from the API, and its news as they come. News win over what was asked for,
 * since they are later; those who look are told some times a second.
 */
import type { News } from '../../api/news.ts';
import type { JobHost } from '../api/queries.ts';
import { millisOf } from '../text/times.ts';

export type LiveState = 'asked' | 'accepted' | 'waiting' | 'running' | 'retrying' | 'open';

export interface Row {
  certname: string;
  /** Of a host that is not over. */
  state: LiveState;
  outcome: string | undefined;
  message: string | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  changed: number;
  version: string | undefined;
}

export interface RolloutState {
  batch?: Extract<News, { type: 'batch' }>;
  pause?: Extract<News, { type: 'pause' }>;
  window?: Extract<News, { type: 'window' }>;
  stopping?: Extract<News, { type: 'stopping' }>;
}

export interface JobView {
  /** By certname. */
  rows: ReadonlyMap<string, Row>;
  counts: Readonly<Record<string, number>>;
  done: number;
  rollout: RolloutState;
  isOver: boolean;
  /** Its news ended before it did: whoever ran it, or told of it, is gone since then (milliseconds since 1970). */
  endedEarlyAt: number | undefined;
  /** When hosts ended lately, for the rate. */
  recent: readonly number[];
}

const RECENT_MS = 60_000;

/** Milliseconds between two looks. What a large job shows is counts and a screen of rows, which nobody reads faster. */
const SMALL_MS = 50;
const LARGE_MS = 200;
const LARGE = 1000;

export class JobStore {
  #rows = new Map<string, Row>();
  #counts: Record<string, number> = {};
  #done = 0;
  #rollout: RolloutState = {};
  #isOver = false;
  #endedEarlyAt: number | undefined;
  #recent: number[] = [];
  #view: JobView = this.#shown();
  #watchers = new Set<() => void>();
  #isDue = false;

  readonly view = (): JobView => this.#view;

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** A page of the job's hosts. */
  addHosts(hosts: readonly JobHost[]): void {
    for (const host of hosts) {
      const before = this.#rows.get(host.certname);
      if (before?.outcome !== undefined && before.version !== undefined) continue;
      const row: Row = {
        certname: host.certname,
        state: before?.state ?? 'open',
        outcome: host.outcome ?? before?.outcome,
        message: host.message ?? before?.message,
        startedAt: millisOf(host.startedAt) ?? before?.startedAt,
        endedAt: millisOf(host.endedAt) ?? before?.endedAt,
        changed: host.outcome === undefined ? (before?.changed ?? 0) : host.changed,
        version: host.catalogVersion,
      };
      this.#put(row, before);
    }
    this.#tell();
  }

  addNews(all: readonly News[]): void {
    for (const news of all) this.#take(news);
    this.#tell();
  }

  /** There are no more news. */
  end(): void {
    if (!this.#isOver) this.#endedEarlyAt ??= Date.now();
    this.#tell();
  }

  #take(news: News): void {
    if (news.type === 'host' || news.type === 'end') this.#takeHost(news);
    if (news.type === 'batch') this.#rollout = { batch: news };
    if (news.type === 'pause') this.#rollout = { ...this.#rollout, pause: news };
    if (news.type === 'window') this.#rollout = { ...this.#rollout, window: news };
    if (news.type === 'stopping') this.#rollout = { ...this.#rollout, stopping: news };
    if (news.type === 'done') this.#isOver = true;
    if (news.type === 'died') this.#endedEarlyAt = Date.now();
  }

  #takeHost(news: Extract<News, { type: 'host' | 'end' }>): void {
    const { certname, at } = news;
    const before = this.#rows.get(certname);
    const row: Row = { ...(before ?? emptyRow(certname)), message: news.message };
    if (news.type === 'end') {
      row.outcome = news.outcome;
      row.changed = news.changed;
      row.startedAt = news.startedAt ?? row.startedAt;
      row.endedAt = at;
      this.#recent.push(at);
    } else {
      row.state = news.state;
      if (news.state === 'running') row.startedAt = at;
      // What is replayed after a reconnect is older than what is known.
      if (before?.outcome !== undefined && (before.endedAt ?? 0) >= at) return;
      row.outcome = undefined;
    }
    this.#put(row, before);
  }

  #put(row: Row, before: Row | undefined): void {
    if (before?.outcome !== undefined) this.#count(before.outcome, -1);
    if (row.outcome !== undefined) this.#count(row.outcome, 1);
    this.#rows.set(row.certname, row);
  }

  #count(outcome: string, by: number): void {
    this.#counts[outcome] = (this.#counts[outcome] ?? 0) + by;
    this.#done += by;
  }

  #shown(): JobView {
    return {
      rows: this.#rows,
      counts: { ...this.#counts },
      done: this.#done,
      rollout: this.#rollout,
      isOver: this.#isOver,
      endedEarlyAt: this.#endedEarlyAt,
      recent: this.#recent,
    };
  }

  #tell(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    window.setTimeout(
      () => {
        this.#isDue = false;
        const last = this.#recent.at(-1) ?? 0;
        this.#recent = this.#recent.filter((at) => at > last - RECENT_MS);
        this.#view = this.#shown();
        for (const watcher of this.#watchers) watcher();
      },
      this.#rows.size > LARGE ? LARGE_MS : SMALL_MS,
    );
  }
}

function emptyRow(certname: string): Row {
  return {
    certname,
    state: 'open',
    outcome: undefined,
    message: undefined,
    startedAt: undefined,
    endedAt: undefined,
    changed: 0,
    version: undefined,
  };
}
