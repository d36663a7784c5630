/** "Noop, look, then apply to exactly those": the hosts of a noop job on which something would change. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { allHostsOf, fleetQuery, type JobHost } from '../api/queries.ts';
import { type FleetRow, rowOf } from '../fleet/host-rows.ts';
import { millisOf } from '../text/times.ts';
import { codeVersion, inParts, type Looked } from './order.ts';

export function useLooked(job: string | undefined): { looked: Looked | undefined; error: Error | null } {
  const { data: hosts, error } = useQuery({
    queryKey: ['looked', job],
    queryFn: ({ signal }) => pendingOf(job ?? '', signal),
    enabled: job !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const certnames = useMemo(() => hosts?.map(({ certname }) => certname) ?? [], [hosts]);
  const { data: now } = useQuery({
    ...fleetQuery({ hosts: inParts(certnames) }),
    enabled: certnames.length > 0,
    refetchInterval: false,
  });
  const looked = useMemo((): Looked | undefined => {
    if (job === undefined || hosts === undefined) return undefined;
    const versions = new Set(hosts.flatMap(({ catalogVersion }) => codeVersion(catalogVersion) ?? []));
    const byName = new Map(hosts.map((one) => [one.certname, one]));
    const newer = now?.hosts.flatMap((host) => newerOf(byName.get(host.certname), rowOf(host))) ?? [];
    return { job, certnames, versions: [...versions], newer };
  }, [job, hosts, certnames, now]);
  return { looked, error };
}

async function pendingOf(job: string, signal: AbortSignal): Promise<JobHost[]> {
  const hosts: JobHost[] = [];
  await allHostsOf(job, { onPage: (page) => hosts.push(...page), signal });
  return hosts.filter(({ outcome }) => outcome === 'would-change');
}

/** Of a host whose latest run has had another catalog than the look. */
function newerOf(looked: JobHost | undefined, { certname, status }: FleetRow): Looked['newer'] {
  const { at = 0, configurationVersion } = status?.lastRun ?? {};
  const [seen, version] = [codeVersion(looked?.catalogVersion), codeVersion(configurationVersion)];
  if (looked === undefined || seen === undefined || version === undefined) return [];
  const isLater = at > (millisOf(looked.startedAt) ?? Number.POSITIVE_INFINITY);
  return isLater && version !== seen ? [{ certname, version }] : [];
}
