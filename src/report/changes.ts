/** What changed, as text; and hosts with the same changes together, so that thousands are readable. */
import type { HostResult } from '../controller/jobs/job.ts';
import type { ResourceChange, ResourceEvent } from '../protocol/event.ts';
import { clip, plural, safeText } from '../util/text.ts';

/** Groups that are shown, and resources of each. */
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

function moreText(told: number, more: number): string {
  return told === 0
    ? `${plural(more, 'resource')} of which the report tells no more`
    : `and ${plural(more, 'resource')} more`;
}

/**
 * `412 hosts: Service[httpd] restarted`: hosts by the same set of changed, failed or pending
 * resources, the largest group first. None where no host has told any.
 */
export function changeGroups(results: readonly HostResult[]): string[] {
  const groups = new Map<string, { hosts: string[]; resources: readonly ResourceChange[]; more: number }>();
  for (const { certname, resources = [], moreResources = 0 } of results) {
    if (resources.length === 0 && moreResources === 0) continue;
    const key = resources.map(keyOf).sort().join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hosts: [certname], resources, more: moreResources });
    else group.hosts.push(certname);
  }
  const sorted = [...groups.values()].sort((a, b) => b.hosts.length - a.hosts.length);
  const lines = sorted.slice(0, MAX_GROUPS).flatMap(({ hosts, resources, more }) => {
    const left = resources.length === 0 ? 0 : Math.max(0, resources.length - MAX_RESOURCES) + more;
    const listed = [...resources].sort(byStatus).slice(0, MAX_RESOURCES).map(describe);
    const shown = listed.length === 0 ? [moreText(0, more)] : listed;
    const names = hosts.length <= MAX_NAMES ? `  (${hosts.join(', ')})` : '';
    const head = `  ${plural(hosts.length, 'host')}: `;
    return [
      `${head}${shown[0] ?? ''}${shown.length === 1 && left === 0 ? names : ''}`,
      ...shown.slice(1).map((text, index) => {
        const isLast = index === shown.length - 2 && left === 0;
        return `${' '.repeat(head.length)}${text}${isLast ? names : ''}`;
      }),
      ...(left > 0 ? [`${' '.repeat(head.length)}${moreText(shown.length, left)}${names}`] : []),
    ];
  });
  const rest = sorted.length - MAX_GROUPS;
  return rest > 0 ? [...lines, `  and ${rest} other sets of changes: --format json tells them`] : lines;
}

const RANKS = { failed: 0, changed: 1, pending: 2 } as const;
const byStatus = (a: ResourceChange, b: ResourceChange) => RANKS[a.status] - RANKS[b.status];

/** Old and new values may differ from host to host; what was done is the same. */
function keyOf({ resource, status, events }: ResourceChange): string {
  return [resource, status, ...events.map(({ property = '', status: how }) => `${property} ${how}`)].join(
    '\0',
  );
}

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
