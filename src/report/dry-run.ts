/** `kick run --dry-run`: what would be sent to whom, in which batches. Nothing is. */

import { hostList } from '../conditions/nodeset/host-list.ts';
import type { Job } from '../controller/jobs/job.ts';
import { batchesOf } from '../controller/rollout/batches.ts';
import { describeBy } from '../protocol/request.ts';
import { formatDuration } from '../util/duration.ts';
import { formatShare } from '../util/share.ts';
import { plural, safeJson, safeText } from '../util/text.ts';

export function dryRunText(job: Job, format: 'human' | 'json'): string {
  const { rollout = {}, targets, action, queue, by, controller, concurrency, maintenance, discovery } = job;
  const batches = batchesOf(targets, rollout);
  if (format === 'json') {
    const document = {
      controller,
      by,
      action,
      ...(queue !== undefined && { queue }),
      concurrency,
      rollout,
      batches: batches.map(({ targets: hosts, isCanary }) => ({ isCanary, hosts })),
      ...(maintenance !== undefined && { maintenance }),
      ...(discovery !== undefined && { discovery }),
    };
    return `${safeJson(document, 2)}\n`;
  }
  const elsewhere = targets.filter(({ certname, host }) => host !== certname);
  const lines = [
    `Would ask ${plural(targets.length, 'host')}, at most ${concurrency} at once, as ${controller}, by ${describeBy(by)}:`,
    `  request  ${JSON.stringify(action)}${queue === undefined ? '' : `  queue ${JSON.stringify(queue)}`}`,
    ...(by.reason === undefined ? [] : [`  reason   ${by.reason}`]),
    ...batches.map(({ targets: hosts, isCanary }, index) => {
      const name = isCanary ? 'canary' : `batch ${index + 1}`;
      const names = hostList(hosts.map(({ certname }) => certname));
      return `  ${name.padEnd(8)} ${String(hosts.length).padStart(5)}  ${names}`;
    }),
    ...stopLines(job),
    ...elsewhere
      .slice(0, 20)
      .map(({ certname, host, port }) => `  ${certname} is reached at ${host}, port ${port}`),
    ...(elsewhere.length > 20
      ? [`  and ${elsewhere.length - 20} more are reached elsewhere than by their names`]
      : []),
    'Nothing was sent.',
  ];
  return lines.map((line) => `${safeText(line)}\n`).join('');
}

function stopLines({ rollout = {} }: Job): string[] {
  const {
    pauseMs,
    confirm,
    maxFailures,
    maxUnreachable,
    groups = [],
    retry,
    deadlineMs,
    expectVersion,
  } = rollout;
  return [
    ...(pauseMs === undefined ? [] : [`between batches a pause of ${formatDuration(pauseMs)}`]),
    ...(confirm === true ? ['asked between batches'] : []),
    ...(maxFailures === undefined
      ? []
      : [`no more hosts after more than ${formatShare(maxFailures)} failures`]),
    ...(maxUnreachable === undefined
      ? []
      : [`no more after more than ${formatShare(maxUnreachable)} unreachable`]),
    ...(retry === undefined ? [] : [`unreachable hosts are tried ${retry} times more`]),
    ...(deadlineMs === undefined ? [] : [`unreachable hosts are tried for ${formatDuration(deadlineMs)}`]),
    ...(expectVersion === undefined ? [] : [`catalogs must be of "${expectVersion}"`]),
    ...groups.map(({ name, concurrency }) => `at most ${concurrency} at once in the group "${name}"`),
  ].map((line) => `  ${line}`);
}
