/** What `kick doctor` says of hosts whether or not anything is wrong with them. */

import { daysOf } from '../controller/fleet/end-findings.ts';
import type { Vitals } from '../controller/fleet/patient.ts';
import { safeText } from '../util/text.ts';

/** Versions that are named. */
const VERSIONS = 10;

/** Versions, and whose certificate and CRL expire first. */
export function vitalLines(known: readonly (Vitals & { certname: string })[]): string[] {
  if (known.length === 0) return [];
  const first = (what: string, left: (one: Vitals) => number | undefined) => {
    const ends = known.map((one) => ({ ms: left(one) ?? Number.POSITIVE_INFINITY, certname: one.certname }));
    const { ms, certname } = ends.reduce((a, b) => (b.ms < a.ms ? b : a));
    if (!Number.isFinite(ms) || ms <= 0) return [];
    return [`the first ${what} to expire is that of ${certname}, in ${daysOf(ms)}`];
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
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, VERSIONS).map(([version, count]) => `${version} on ${count}`);
  const more = sorted.length > VERSIONS ? ` and ${sorted.length - VERSIONS} more` : '';
  return `${shown.join(', ')}${more}`;
}
