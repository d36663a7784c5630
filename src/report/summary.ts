/**
 * How a job ended, as text (DESIGN 9). Pure: results in, lines out. What only some jobs have to say (changes, groups of many
 * hosts, versions) is loaded by them.
 */
import type { HostResult, Job, StopReason } from '../controller/jobs/job.ts';
import { isSuccess, OUTCOME_NAMES, type Outcome } from '../protocol/outcome.ts';
import { formatDuration } from '../util/duration.ts';
import { plural } from '../util/text.ts';
import { dateTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import type { Paint } from './paint.ts';
import type { ShownBy } from './result-lines.ts';
import { adviceFor, detailOf, STOPS, took } from './words.ts';

/** Up to so many hosts all are listed, above only those that did not go well. */
const LIST_ALL = 20;

/** Neither passed nor failed when the controller stopped looking. */
const UNDECIDED: readonly Outcome[] = ['unfinished', 'not-started'];
const ADVICE = 3;

export interface SummaryInput {
  job: Job;
  results: readonly HostResult[];
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  /** Milliseconds until the last host was dispatched, if that is known. */
  dispatchMs: number | undefined;
  stopped?: StopReason | undefined;
  paint: Paint;
}

export async function summaryOf(input: SummaryInput): Promise<string> {
  const { job, results, startedAt, endedAt, dispatchMs } = input;
  const good = results.filter(({ outcome }) => isSuccess(outcome)).length;
  const over = results.filter(({ outcome }) => !UNDECIDED.includes(outcome)).length;
  const facts: [string, string][] = [
    ['Nodes', `${over} / ${results.length}      ${countsOf(results)}`],
    ['Pass / Fail', `${good} / ${over - good}`],
    ['Start Time', dateTime(startedAt)],
    dispatchMs === undefined
      ? ['Total', formatDuration(endedAt - startedAt)]
      : ['Dispatch', `${formatDuration(dispatchMs)}      Total: ${formatDuration(endedAt - startedAt)}`],
    ['Job', `${shortId(job.id)}      kick jobs show ${shortId(job.id)}`],
    ...(await maintenanceFact(job)),
    ...(await discoveryFacts(job)),
  ];
  return [
    ...(await hostLines(results, input)),
    ...(await changeLinesOf(results)),
    '',
    ...facts.map(([name, value]) => `  ${`${name}:`.padStart(16)} ${value}`.trimEnd()),
    ...(await versionLinesOf(results, startedAt)),
    ...adviceLines(results, job),
    ...stopLines(input),
    '',
  ].join('\n');
}

/** Each host where they are few, else those of which something is to be said. */
export async function hostLines(results: readonly HostResult[], shown: ShownBy): Promise<string[]> {
  if (results.length <= LIST_ALL) return results.map((result) => hostLine(result, results, shown.paint));
  const { notableLines } = await import('./result-lines.ts');
  return notableLines(results, shown);
}

async function changeLinesOf(results: readonly HostResult[]): Promise<string[]> {
  if (results.every(({ resources = [], moreResources = 0 }) => resources.length + moreResources === 0))
    return [];
  const { changeGroups } = await import('./changes.ts');
  return ['', ...changeGroups(results)];
}

/** One host has one version. */
async function versionLinesOf(results: readonly HostResult[], startedAt: number): Promise<string[]> {
  if (results.length < 2) return [];
  const { catalogVersions } = await import('../controller/fleet/catalog-versions.ts');
  const { versionLines } = await import('./version-lines.ts');
  return versionLines(catalogVersions(results, startedAt));
}

async function maintenanceFact({ maintenance = [] }: Job): Promise<[string, string][]> {
  if (maintenance.length === 0) return [];
  const { someNames } = await import('./result-lines.ts');
  return [['Maintenance', `${someNames(maintenance)} left out`]];
}

async function discoveryFacts({ discovery }: Job): Promise<[string, string][]> {
  if (discovery === undefined) return [];
  return (await import('./discovery-facts.ts')).discoveryFacts(discovery);
}

/** `  agent1.example.com  changed    24s  3 resources`. */
export function hostLine(result: HostResult, all: readonly HostResult[], paint: Paint): string {
  const name = result.certname.padEnd(Math.max(...all.map(({ certname }) => certname.length)));
  const widest = Math.max(...all.map(({ outcome }) => outcome.length));
  const outcome = paint(result.outcome, result.outcome.padEnd(widest));
  return `  ${name}  ${outcome}  ${took(result).padStart(6)}  ${detailOf(result)}`.trimEnd();
}

/** `1 changed, 398 unchanged`, in the order of the outcome table. */
export function countsOf(results: readonly HostResult[]): string {
  const counts = new Map<Outcome, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return OUTCOME_NAMES.filter((name) => counts.has(name))
    .map((name) => `${counts.get(name)} ${name}`)
    .join(', ');
}

function adviceLines(results: readonly HostResult[], job: Job): string[] {
  const texts = results.map((result) => adviceFor(result, job)).filter((lines) => lines.length > 0);
  const different = [...new Map(texts.map((lines) => [lines.at(-1), lines])).values()];
  return different.slice(0, ADVICE).flatMap((lines) => ['', ...lines.map((line) => `  ${line}`)]);
}

function stopLines({ stopped, results }: SummaryInput): string[] {
  if (stopped === undefined) return [];
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  const why = STOPS[stopped];
  const left = count('unfinished');
  const ended = stopped === 'interrupted' || stopped === 'timeout' ? 'nothing was ended. ' : '';
  const running = left > 0 ? `${plural(left, 'host')} left running or waiting, ` : '';
  const waiting = count('not-started');
  // The last of a job may be what stops it.
  const rest = waiting + left === 0 ? 'all had been started' : `${waiting} not started`;
  return ['', `  ${why[0]?.toUpperCase()}${why.slice(1)}: ${ended}${running}${rest}.`];
}
