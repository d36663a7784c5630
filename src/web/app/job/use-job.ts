/** A job, live: what it is, its hosts, and its news as they come. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { allHostsOf, type Job, jobQuery } from '../api/queries.ts';
import { listenTo } from '../api/stream.ts';
import { JobStore, type JobView } from './job-store.ts';

/** How often a job is asked whether it has a question or, if nobody runs it, whether somebody does again. */
const ASK_MS = 2500;

export interface LiveJob {
  job: Job | undefined;
  view: JobView;
  isConnected: boolean;
  error: Error | null;
}

export function useJob(id: string): LiveJob {
  const queries = useQueryClient();
  // A job that was resumed is another life: its news begin anew.
  const [life, setLife] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a store for each life of each job
  const store = useMemo(() => new JobStore(), [id, life]);
  const view = useSyncExternalStore(store.watch, store.view);
  const [isConnected, setConnected] = useState(true);
  const {
    data: job,
    error,
    dataUpdatedAt,
  } = useQuery({
    ...jobQuery(id),
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'running' || data?.state === 'died' ? ASK_MS : false,
  });
  const state = job?.state;
  const isLive = state === 'running';

  useEffect(() => {
    const ending = new AbortController();
    const onPage = (hosts: Parameters<JobStore['addHosts']>[0]) => store.addHosts(hosts);
    void allHostsOf(id, { onPage, signal: ending.signal }).catch(() => undefined);
    return () => ending.abort();
  }, [id, store]);

  useEffect(() => {
    if (!isLive) return setConnected(true);
    return listenTo(id, {
      onNews: (news) => store.addNews(news),
      onConnection: setConnected,
      onOver: () => store.end(),
    });
  }, [id, store, isLive]);

  useEffect(() => {
    if (!view.isOver && view.endedEarlyAt === undefined) return;
    void queries.invalidateQueries({ queryKey: ['job', id] });
    // Once more, for what news leave out: the versions of catalogs.
    const ending = new AbortController();
    void allHostsOf(id, { onPage: (hosts) => store.addHosts(hosts), signal: ending.signal }).catch(
      () => undefined,
    );
    return () => ending.abort();
  }, [id, store, queries, view.isOver, view.endedEarlyAt]);

  const [was, setWas] = useState(state);
  if (was !== state) {
    setWas(state);
    // Its end was seen before the news of it, which are no longer listened to.
    const isUntold = was === 'running' && state === 'done' && !view.isOver;
    const isResumed = was === 'died' || (was === 'done' && state === 'running');
    if (isUntold || isResumed) setLife(life + 1);
  } else if ((view.endedEarlyAt ?? Number.POSITIVE_INFINITY) < dataUpdatedAt && state !== 'died') {
    // A server that was started again has gone on with it before we could see that it was left alone.
    setLife(life + 1);
  }
  return { job, view, isConnected, error };
}
