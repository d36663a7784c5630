/** What changed, as text; and hosts with the same changes together, so that thousands are readable. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import { type ChangeGroup, groupChanges } from '../controller/fleet/change-groups.ts';
import type { HostResult } from '../controller/jobs/job.ts';
import type { ResourceChange, ResourceEvent } from '../protocol/event.ts';
import { clip, plural, safeText } from '../util/text.ts';

/** Groups that are shown, and resources of each, and names or ranges of its hosts. */
const MAX_GROUPS = 20;
const MAX_RESOURCES = 5;
const MAX_NAMES = 5;

/** Each resource and what happened to it, a line each, and how many `more` there were. */
export function changeLines(resources: readonly ResourceChange[], more = 0): string[] {
  const lines = resources.flatMap((resource) => [
    `  ${describe(resource)}${placeOf(resource)}`,
    ...resource.events.map((event) => safeText(`      ${eventText(event)}`)),
  ]);
  return more === 0 ? lines : [...lines, `  ${moreText(resources.length, more)}`];
}

function moreText(listed: number, more: number): string {
  return listed === 0
    ? `${plural(more, 'resource')} of which the report has no details`
    : `and ${plural(more, 'resource')} more`;
}

/**
 * `412 hosts: Service[httpd] restarted`: hosts by the same set of changed, failed or pending
 * resources, the largest group first. None if no host has reported any.
 */
export function changeGroups(results: readonly HostResult[]): string[] {
  const groups = groupChanges(results);
  const lines = groups.slice(0, MAX_GROUPS).flatMap(groupLines);
  const rest = groups.length - MAX_GROUPS;
  return rest > 0 ? [...lines, `  and ${rest} other sets of changes: --format json has them`] : lines;
}

/** Its resources stand below each other, and its hosts behind the last. */
function groupLines({ certnames, resources, more, isExample }: ChangeGroup): string[] {
  const left = resources.length === 0 ? 0 : Math.max(0, resources.length - MAX_RESOURCES) + more;
  const listed = [...resources].sort(byStatus).slice(0, MAX_RESOURCES).map(describe);
  const shown = [
    ...(listed.length === 0 ? [moreText(0, more)] : listed),
    ...(left > 0 ? [moreText(listed.length, left)] : []),
  ];
  const head = `  ${plural(certnames.length, 'host')}: ${isExample ? 'e.g. ' : ''}`;
  const names = `  (${hostList(certnames, { most: MAX_NAMES })})`;
  return shown.map((text, index) => {
    const before = index === 0 ? head : ' '.repeat(head.length);
    return `${before}${text}${index === shown.length - 1 ? names : ''}`;
  });
}

const RANKS = { failed: 0, changed: 1, pending: 2 } as const;
const byStatus = (a: ResourceChange, b: ResourceChange) => RANKS[a.status] - RANKS[b.status];

/** `Service[httpd] restarted`, `File[/etc/motd] content`, `Exec[x] failed: …`. */
function describe({ resource, status, events, corrective }: ResourceChange): string {
  const name = safeText(resource);
  const fix = corrective === true ? ' (drift)' : '';
  if (status === 'failed') {
    const why = events.find((event) => event.status === 'failure')?.message;
    return `${name} failed${fix}${why === undefined ? '' : `: ${safeText(clip(why, 160))}`}`;
  }
  const what = [...new Set(events.map(shortText))].filter((text) => text !== '').join(', ');
  return `${name}${status === 'pending' ? ' would change' : ''}${what === '' ? '' : ` ${what}`}${fix}`;
}

/** A refresh has no property: a service is restarted by it, an exec runs. */
function shortText({ property, message = '' }: ResourceEvent): string {
  if (property !== undefined) return safeText(property);
  return /refresh|restart/i.test(message) ? 'restarted' : safeText(clip(message, 80));
}

function eventText({ property, status, old, new: wanted, message }: ResourceEvent): string {
  const change =
    old === undefined && wanted === undefined ? '' : `${old ?? 'absent'} -> ${wanted ?? 'absent'}`;
  const parts = [property, change, message, status === 'failure' ? 'failed' : ''];
  return parts.filter((part) => part !== undefined && part !== '').join('  ');
}

function placeOf({ file, line }: ResourceChange): string {
  return file === undefined ? '' : safeText(`  (${file}${line === undefined ? '' : `:${line}`})`);
}
