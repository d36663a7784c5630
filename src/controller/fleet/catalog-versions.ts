/** Which code hosts have applied, as far as the versions of their catalogs say. */
import type { HostResult } from '../jobs/job.ts';

export interface CatalogVersion {
  /** As Puppet reports it (configuration_version); absent: of manifests that were read for this job. */
  version?: string;
  hosts: number;
}

/** Puppet's own version, where config_version is not set: the second in which the manifests were read. */
const SECONDS = /^\d{10}$/;

/** Milliseconds by which another host's clock may be behind (DESIGN 5). */
const SKEW_MS = 60_000;

/**
 * What most hosts have first; empty where all have the same. Without config_version, and without an environment cache,
 * Puppet reads the manifests anew for each catalog (lib/puppet/resource/type_collection.rb, `version`): those that were
 * read since the job began, `startedAt`, differ in nothing.
 */
export function catalogVersions(results: readonly HostResult[], startedAt: number): CatalogVersion[] {
  const counts = new Map<string | undefined, number>();
  for (const { finished } of results) {
    const version = finished?.facts?.configurationVersion;
    if (version === undefined) continue;
    const isNew = SECONDS.test(version) && Number(version) * 1000 >= startedAt - SKEW_MS;
    const key = isNew ? undefined : version;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (counts.size < 2) return [];
  return [...counts]
    .map(([version, hosts]) => ({ ...(version !== undefined && { version }), hosts }))
    .sort((a, b) => b.hosts - a.hosts);
}
