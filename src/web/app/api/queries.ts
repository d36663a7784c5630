/** What the page has asked and keeps: old answers are shown while new ones are fetched. */
import { keepPreviousData, QueryCache, QueryClient, queryOptions } from '@tanstack/react-query';
import type { ChoiceWish } from '../../api/choice.ts';
import { ApiError, type Ask, call, type Reply } from './client.ts';

export type Me = Reply<'get /session'>;
export type Job = Reply<'get /jobs/{job}'>;
export type JobLine = Reply<'get /jobs'>['jobs'][number];
export type JobHost = Reply<'get /jobs/{job}/hosts'>['hosts'][number];
export type HostDetail = Reply<'get /jobs/{job}/hosts/{certname}'>;
export type ChangeGroup = Reply<'get /jobs/{job}/changes'>['groups'][number];
export type Resolved = Reply<'post /hosts/resolve'>;
export type Plan = Reply<'post /jobs'>['plan'];
export type JobWish = Ask<'post /jobs'>['body'];
export type FleetHost = Reply<'post /fleet/status'>['hosts'][number];
export type Schedule = Reply<'get /schedules'>['schedules'][number];
export type HostPage = Reply<'get /hosts/{certname}'>;
export type OrderReply = Reply<'post /fleet/disable'>;

export function createQueryClient(): QueryClient {
  // A session that is over is over for the whole page, and what it has shown is not for whoever signs in next.
  const onError = (error: Error) => {
    if (error instanceof ApiError && error.status === 401) forgetSession(client);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 600_000,
        retry: (count, error) => error instanceof ApiError && error.status === 0 && count < 5,
      },
    },
  });
  return client;
}

/** Nobody is signed in, and nothing of who was is kept. */
export function forgetSession(queries: QueryClient): void {
  queries.getMutationCache().clear();
  // Who is signed in stays in the cache: the page watches it.
  queries.removeQueries({ predicate: ({ queryKey: [first] }) => first !== meQuery.queryKey[0] });
  queries.setQueryData(meQuery.queryKey, null);
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async (): Promise<Me | null> => {
    try {
      return await call('get /session', {});
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const groupsQuery = queryOptions({
  queryKey: ['groups'],
  queryFn: ({ signal }) => call('get /groups', {}, { signal }),
  staleTime: 60_000,
});

export const resolveQuery = (choice: ChoiceWish | undefined) =>
  queryOptions({
    queryKey: ['resolve', choice],
    queryFn: ({ signal }) => call('post /hosts/resolve', { body: { choice: choice ?? {} } }, { signal }),
    enabled: choice !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });

/** The certnames of all hosts that one may see. */
export const knownQuery = queryOptions({
  queryKey: ['known'],
  queryFn: async ({ signal }) => {
    const body = { choice: { all: true } };
    try {
      return (await call('post /hosts/resolve', { body }, { signal })).hosts.map(({ certname }) => certname);
    } catch (error) {
      // All of none is refused as a choice.
      if (error instanceof ApiError && error.problem.code === 'bad-choice') return [];
      throw error;
    }
  },
  staleTime: 300_000,
});

export const jobQuery = (job: string) =>
  queryOptions({
    queryKey: ['job', job],
    queryFn: ({ signal }) => call('get /jobs/{job}', { params: { job } }, { signal }),
  });

export const changesQuery = (job: string, revision: number) =>
  queryOptions({
    queryKey: ['changes', job, revision],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      (await call('get /jobs/{job}/changes', { params: { job } }, { signal })).groups,
  });

export const jobHostQuery = (job: string, certname: string, isOver: boolean) =>
  queryOptions({
    queryKey: ['job-host', job, certname, isOver],
    queryFn: ({ signal }) =>
      call('get /jobs/{job}/hosts/{certname}', { params: { job, certname } }, { signal }),
    placeholderData: (before) => (before?.certname === certname ? before : undefined),
    refetchInterval: isOver ? false : 3_000,
  });

export const schedulesQuery = queryOptions({
  queryKey: ['schedules'],
  queryFn: async ({ signal }) => (await call('get /schedules', {}, { signal })).schedules,
  refetchInterval: 15_000,
});

export const hostQuery = (certname: string) =>
  queryOptions({
    queryKey: ['host', certname],
    queryFn: ({ signal }) => call('get /hosts/{certname}', { params: { certname } }, { signal }),
    refetchInterval: 15_000,
  });

/** What the chosen hosts, or all of them, have in common. */
export const facetsQuery = (choice: ChoiceWish | undefined) =>
  queryOptions({
    queryKey: ['facets', choice],
    queryFn: async ({ signal }) => {
      const body = { choice: choice ?? { all: true }, facets: [...FACETS] };
      return (await call('post /hosts/resolve', { body }, { signal })).facets ?? [];
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const fleetQuery = (choice: ChoiceWish) =>
  queryOptions({
    queryKey: ['fleet', choice],
    queryFn: ({ signal }) => call('post /fleet/status', { body: { choice } }, { signal }),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  });

/** Of one host, null if it is not known. */
export const hostStatusQuery = (certname: string) =>
  queryOptions({
    queryKey: ['host-status', certname],
    queryFn: async ({ signal }) => {
      const body = { choice: { hosts: [certname] } };
      return (await call('post /fleet/status', { body }, { signal })).hosts[0] ?? null;
    },
    retry: false,
  });

const PAGE = '1000';

/** Facts by which hosts are counted. */
const FACETS = ['os.name', 'os.release.major', 'virtual'] as const;

/** Every host of a job, page by page. */
export async function allHostsOf(
  job: string,
  { onPage, signal }: { onPage(hosts: JobHost[]): void; signal?: AbortSignal },
): Promise<void> {
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
    const page = await call('get /jobs/{job}/hosts', { params: { job }, query }, { signal });
    onPage(page.hosts);
    cursor = page.next;
  } while (cursor !== undefined);
}
