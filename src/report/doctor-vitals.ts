/** What `kick doctor` tells of hosts whether or not anything is wrong with them. */

import { daysOf } from '../controller/fleet/findings.ts';
import { holderOf } from '../controller/fleet/holder.ts';
import type { AgentStatus } from '../protocol/status.ts';
import { safeText } from '../util/text.ts';

/** Versions that are told. */
const VERSIONS = 10;

export interface Vitals {
  /** Versions. */
  kick: string;
  puppet?: string;
  /** Milliseconds: its clock before ours. */
  clockAheadMs: number;
  /** Milliseconds until the end; negative: since. */
  certificateMsLeft?: number;
  crlMsLeft?: number;
  /** Who holds Puppet's lock, as a sentence; absent: nobody. */
  lock?: string;
}

/** From an agent's answer; `now` is our clock at the middle of the question. */
export function vitalsOf(status: AgentStatus, now: number): Vitals {
  const { version, puppetVersion, time, running, doctor: { certificateEnds, crlEnds } = {} } = status;
  return {
    kick: version,
    ...(puppetVersion !== undefined && { puppet: puppetVersion }),
    clockAheadMs: Math.round(time - now),
    ...(certificateEnds !== undefined && { certificateMsLeft: certificateEnds - time }),
    ...(crlEnds !== undefined && { crlMsLeft: crlEnds - time }),
    ...(running !== undefined && { lock: `held by ${holderOf(running)}` }),
  };
}

/** Versions, and whose certificate and CRL end first. */
export function vitalLines(known: readonly (Vitals & { certname: string })[]): string[] {
  if (known.length === 0) return [];
  const first = (what: string, left: (one: Vitals) => number | undefined) => {
    const ends = known.map((one) => ({ ms: left(one) ?? Number.POSITIVE_INFINITY, certname: one.certname }));
    const { ms, certname } = ends.reduce((a, b) => (b.ms < a.ms ? b : a));
    if (!Number.isFinite(ms) || ms <= 0) return [];
    return [`the first ${what} to end is that of ${certname}, in ${daysOf(ms)}`];
  };
  const puppets = known.flatMap(({ puppet }) => puppet ?? []);
  return [
    `kick ${countsOf(known.map(({ kick }) => kick))}${puppets.length > 0 ? `; Puppet ${countsOf(puppets)}` : ''}`,
    ...first('certificate', ({ certificateMsLeft }) => certificateMsLeft),
    ...first('CRL', ({ crlMsLeft }) => crlMsLeft),
  ].map(safeText);
}

/** `7.23.0 on 28, 8.1.0 on 2`, the most first. */
function countsOf(versions: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, VERSIONS)
    .map(([version, count]) => `${version} on ${count}`)
    .join(', ');
}
