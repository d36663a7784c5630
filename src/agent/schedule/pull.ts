/** agent.yaml, `pull`: the runs that a host begins by itself. */
import type { RunAction } from '../../protocol/request.ts';

/** agent.yaml, pull. */
export interface Pull {
  /** Milliseconds, or as Puppet's own setting says. */
  runinterval: number | 'puppet';
  /** Whether, or over how many milliseconds, hosts are spread. */
  splay: boolean | number;
  /** `pushed`: the cached catalog, so that new code comes only by a kick. */
  catalog: 'new' | 'pushed';
  /** Only report. */
  noop: boolean;
}

/** What a scheduled run asks for. */
export function scheduledAction({ catalog, noop }: Pull): RunAction {
  return {
    op: 'run',
    ...(noop && { noop: true }),
    ...(catalog === 'pushed' && { useCachedCatalog: true as const }),
  };
}

/** Milliseconds: shorter ones would only be a loop. */
const SHORTEST_MS = 1000;

/** Milliseconds; undefined where there is no Puppet to ask. */
export async function intervalOf(
  { runinterval: wanted }: Pull,
  ofPuppet: () => Promise<number | undefined>,
): Promise<number | undefined> {
  return wanted === 'puppet' ? ofPuppet() : wanted;
}

/** Why such an interval means that no run begins; undefined where it means that they do. */
export function whyOff({ runinterval: wanted }: Pull, intervalMs: number | undefined): string | undefined {
  const whose = wanted === 'puppet' ? "Puppet's runinterval" : 'runinterval';
  if (intervalMs === undefined) return `${whose} is not known`;
  if (intervalMs === 0) return `${whose} is 0`;
  return intervalMs < SHORTEST_MS ? `${whose} is under a second` : undefined;
}
