/** Hosts of which something is to be said, identical ones together. Many jobs need none of it. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import { type ResultGroup, resultGroups } from '../controller/fleet/result-groups.ts';
import type { HostResult, Job } from '../controller/jobs/job.ts';
import { isSuccess } from '../protocol/outcome.ts';
import { clip, safeText } from '../util/text.ts';
import type { Paint } from './paint.ts';
import { MAX_REASON, reasonOf } from './words.ts';

export interface ShownBy {
  job: Job;
  paint: Paint;
}

/** Those that did not go well, and what is to be said of the others. */
export function notableLines(results: readonly HostResult[], shown: ShownBy): string[] {
  const bad = results.filter(({ outcome }) => !isSuccess(outcome));
  return [...groupLines(bad, shown), ...noteLines(results, shown)];
}

/** Hosts that went well, but with something to say of it: nothing was applied there, or not what people may think. */
export function noteLines(results: readonly HostResult[], shown: ShownBy): string[] {
  return groupLines(
    results.filter((result) => isSuccess(result.outcome) && reasonOf(result) !== ''),
    shown,
  );
}

/** Identical failures stand together. */
export function groupLines(results: readonly HostResult[], { job, paint }: ShownBy): string[] {
  return resultGroups(results, job.targets).flatMap((group) => {
    const { outcome, certnames, reason } = group;
    const head = `${paint(outcome, outcome.padEnd(12))} ${String(certnames.length).padStart(4)}`;
    const why = reason === '' ? [] : [`${' '.repeat(19)}${reasonText(group)}`];
    return [`${head}  ${hostList(certnames)}`, ...why];
  });
}

/** What is said of all hosts of a group, or of the first. */
function reasonText({ reason, isExample }: ResultGroup): string {
  return safeText(`${isExample ? 'e.g. ' : ''}${clip(reason, MAX_REASON)}`);
}

/** `12 (web[1-12])`. */
export function someNames(names: readonly string[]): string {
  return `${names.length} (${hostList(names, { most: 5 })})`;
}
