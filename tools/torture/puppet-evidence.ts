/** What Puppet itself says of its runs, against which an outcome is held. */
import { existsSync, readFileSync } from 'node:fs';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import type { PuppetHost } from './puppet-host.ts';

/** Milliseconds in which the agent has read the report of a run that is over. */
const READ_MS = 30_000;

/** What is untrue of an outcome; undefined if nothing is. */
export function objectionOf(
  finished: FinishedEvent,
  { server, reportDamagedAt }: PuppetHost,
): string | undefined {
  const { outcome, run = '', exit, message = '', facts } = finished;
  const report = server.reports.get(run);
  const said = `Puppet's own report of the run ${run} is ${JSON.stringify(report)}`;
  if (outcome === 'changed' || outcome === 'unchanged') {
    return report?.status === outcome && report.isComplete
      ? differing(facts?.resources, report.resources)
      : said;
  }
  if (report === undefined || !report.isComplete || report.status === 'failed') return undefined;
  const wasDamaged = reportDamagedAt.some((at) => at >= report.arrivedAt && at < report.arrivedAt + READ_MS);
  if (wasDamaged) return undefined;
  // It may not have been able to store it, or to write its log.
  if (outcome === 'failed') return exit === 1 || NO_REPORT.test(message) ? undefined : said;
  if (outcome === 'interrupted') return exit === undefined || exit > 128 ? undefined : said;
  return undefined;
}

const NO_REPORT = /no report of it|another run's/;

function differing(
  told: Readonly<Record<string, number>> = {},
  own: Readonly<Record<string, number>>,
): string | undefined {
  const names = ['total', 'changed', 'failed', 'out_of_sync'];
  const isSame = names.every((name) => told[name] === own[name]);
  return isSame ? undefined : `Puppet counted ${JSON.stringify(own)}`;
}

/** What of Puppet's own files is not yet as a run leaves them: its lock, or a report and a summary of two runs. */
export function unrestOf({ files, server }: PuppetHost): string | undefined {
  const report = readFileSync(files.report, 'utf8');
  const summary = readFileSync(files.summary, 'utf8');
  const saidOf = (key: string) => new RegExp(`^${key}: ['"]?([\\w-]*)`, 'm').exec(report)?.[1];
  const left = {
    ...{ run: saidOf('job_id'), status: saidOf('status'), isLocked: existsSync(files.lock) },
    changed: Number(/^resources:(?:\n .*)*?\n +changed: (\d+)/m.exec(summary)?.[1]),
  };
  const sent = server.reports.get(left.run ?? '');
  const isIt =
    !left.isLocked && sent?.status === left.status && (sent?.resources['changed'] ?? 0) === left.changed;
  return isIt ? undefined : `Puppet has left ${JSON.stringify(left)} and sent ${JSON.stringify(sent)}`;
}
