/** Conditions on what a host itself reports: its classes, and its latest run. */
import type { LastKind } from '../protocol/names.ts';
import type { AgentStatus } from '../protocol/status.ts';

/** Undefined if the host's classes are not known. */
export function hasClass(classes: readonly string[] | undefined, name: string): boolean | undefined {
  // Puppet writes them in lower case, without a leading ::.
  return classes?.includes(name.toLowerCase().replace(/^::/, ''));
}

/** Why `hasClass` cannot say. */
export const NO_CLASSES = 'its classes are not known: Puppet has not run there yet, or is not its runner';

/** `time` is the host's clock, milliseconds since 1970. */
export function wasLast(
  { lastRun, time }: Pick<AgentStatus, 'lastRun' | 'time'>,
  kind: LastKind,
  olderThanMs: number,
): boolean {
  if (kind === 'stale') return lastRun === undefined || lastRun.at < time - olderThanMs;
  return lastRun?.status === kind;
}
