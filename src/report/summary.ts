/** How a job ended, as text (DESIGN 9). Pure: results in, lines out. */
import type { HostResult, Job, StopReason } from '../controller/jobs/job.ts';
import { isSuccess, OUTCOME_NAMES, type Outcome } from '../protocol/outcome.ts';
import { formatDuration } from '../util/duration.ts';
import { clip, plural, safeText } from '../util/text.ts';
import { dateTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import { changeGroups } from './changes.ts';
import type { Paint } from './paint.ts';
import { adviceFor, detailOf, reasonOf, STOPS, someNames, took } from './words.ts';

/** Up to so many hosts all are listed, above only those that did not go well. */
const LIST_ALL = 20;
const NAMES_IN_GROUP = 10;

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

export function summaryOf(input: SummaryInput): string {
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
    ...maintenanceFact(job),
  ];
  return [
    ...hostLines(input),
    ...changeLinesOf(results),
    '',
    ...facts.map(([name, value]) => `  ${`${name}:`.padStart(16)} ${value}`.trimEnd()),
    ...versionLines(results),
    ...adviceLines(results, job),
    ...stopLines(input),
    '',
  ].join('\n');
}

function changeLinesOf(results: readonly HostResult[]): string[] {
  const groups = changeGroups(results);
  return groups.length === 0 ? [] : ['', ...groups];
}

function maintenanceFact({ maintenance = [] }: Job): [string, string][] {
  return maintenance.length === 0 ? [] : [['Maintenance', `${someNames(maintenance)} left out`]];
}

function hostLines({ results, paint }: SummaryInput): string[] {
  if (results.length <= LIST_ALL) return results.map((result) => hostLine(result, results, paint));
  const bad = results.filter(({ outcome }) => !isSuccess(outcome));
  return [...groupLines(bad, paint), ...noteLines(results, paint)];
}

/** Hosts that went well, but with something to say of it: nothing was applied there, or not what people may think. */
export function noteLines(results: readonly HostResult[], paint: Paint): string[] {
  return groupLines(
    results.filter((result) => isSuccess(result.outcome) && reasonOf(result) !== ''),
    paint,
  );
}

/** `  agent1.example.com  changed    24s  3 resources`. */
export function hostLine(result: HostResult, all: readonly HostResult[], paint: Paint): string {
  const name = result.certname.padEnd(Math.max(...all.map(({ certname }) => certname.length)));
  const widest = Math.max(...all.map(({ outcome }) => outcome.length));
  const outcome = paint(result.outcome, result.outcome.padEnd(widest));
  return `  ${name}  ${outcome}  ${took(result).padStart(6)}  ${detailOf(result)}`.trimEnd();
}

/** Identical failures stand together. */
export function groupLines(results: readonly HostResult[], paint: Paint): string[] {
  const groups = new Map<string, HostResult[]>();
  for (const result of results) {
    const key = `${result.outcome} ${inGeneral(reasonOf(result).replaceAll(result.certname, '…'))}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const rank = ({ outcome }: HostResult) => OUTCOME_NAMES.indexOf(outcome);
  const sorted = [...groups.values()].sort(([a], [b]) => (a && b ? rank(a) - rank(b) : 0));
  return sorted.flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const names = group.slice(0, NAMES_IN_GROUP).map(({ certname }) => certname);
    const more = group.length > NAMES_IN_GROUP ? ` and ${group.length - NAMES_IN_GROUP} more` : '';
    const reasons = new Set(group.map(reasonOf));
    const reason = reasons.size === 1 ? reasonOf(first) : inGeneral(reasonOf(first));
    const head = `${paint(first.outcome, first.outcome.padEnd(12))} ${String(group.length).padStart(4)}`;
    return [`${head}  ${names.join(', ')}${more}`, ...(reason === '' ? [] : [`${' '.repeat(19)}${reason}`])];
  });
}

/** Hosts have different numbers of resources, and the same to say of them. */
function inGeneral(reason: string): string {
  return reason.replace(/\b(\d+) of (\d+) resources? (?:was|were)\b/, (_all, some, all) =>
    some === all ? 'all resources were' : 'some resources were',
  );
}

/** `1 changed, 398 unchanged`, in the order of the outcome table. */
export function countsOf(results: readonly HostResult[]): string {
  const counts = new Map<Outcome, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return OUTCOME_NAMES.filter((name) => counts.has(name))
    .map((name) => `${counts.get(name)} ${name}`)
    .join(', ');
}

/** Said only when hosts have applied different code. */
function versionLines(results: readonly HostResult[]): string[] {
  const counts = new Map<string, number>();
  for (const { finished } of results) {
    const version = finished?.facts?.configurationVersion;
    if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  if (counts.size < 2) return [];
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const shown = sorted.map(([version, count]) => `${inShort(version)} ${count}`).join(', ');
  const [, last] = sorted.at(-1) ?? ['', 0];
  return ['', `  catalog versions: ${shown} host${last === 1 ? '' : 's'}`];
}

/** A version may be a commit's whole message. */
function inShort(version: string): string {
  const [first = ''] = version.split('\n');
  return safeText(clip(first === version ? version : `${first}…`, 80));
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
