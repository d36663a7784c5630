/** agent.yaml, `pull`: the runs that a host starts by itself. */
import type { RunAction } from '../../protocol/request.ts';

export interface Pull {
  /** Milliseconds, or Puppet's own setting. */
  runinterval: number | 'puppet';
  /** Whether, or over how many milliseconds, hosts are spread; true: over the whole interval. */
  splay: boolean | number;
  /** `pushed`: the cached catalog, so that only a kick brings new code. */
  catalog: 'new' | 'pushed';
  /** Only reports changes. */
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

/** Milliseconds; anything shorter would be a busy loop. */
const SHORTEST_MS = 1000;

/** Milliseconds; undefined if there is no Puppet to ask. */
export async function intervalOf(
  { runinterval: wanted }: Pull,
  ofPuppet: () => Promise<number | undefined>,
): Promise<number | undefined> {
  return wanted === 'puppet' ? ofPuppet() : wanted;
}

/** Why no runs start with such an interval; undefined if they do. */
export function whyOff({ runinterval: wanted }: Pull, intervalMs: number | undefined): string | undefined {
  const whose = wanted === 'puppet' ? "Puppet's runinterval" : 'runinterval';
  if (intervalMs === undefined) return `${whose} is not known`;
  if (intervalMs === 0) return `${whose} is 0`;
  return intervalMs < SHORTEST_MS ? `${whose} is under a second` : undefined;
}
