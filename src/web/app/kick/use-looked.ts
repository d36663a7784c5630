/** "Noop, look, then apply to exactly those": the hosts of a noop job on which something would change. */
import { useQuery } from '@tanstack/react-query';
import { allHostsOf, type JobHost } from '../api/queries.ts';
import type { Looked } from './order.ts';

export function useLooked(job: string | undefined): { looked: Looked | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: ['looked', job],
    queryFn: ({ signal }) => lookedAt(job ?? '', signal),
    enabled: job !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return { looked: job === undefined ? undefined : data, error };
}

async function lookedAt(job: string, signal: AbortSignal): Promise<Looked> {
  const hosts: JobHost[] = [];
  await allHostsOf(job, { onPage: (page) => hosts.push(...page), signal });
  const pending = hosts.filter(({ outcome }) => outcome === 'would-change');
  const versions = new Set(pending.flatMap(({ catalogVersion }) => catalogVersion ?? []));
  return { job, certnames: pending.map(({ certname }) => certname), versions: [...versions] };
}
