/** What a host does at the moment, as operators know it from MCollective's `mco puppet status`. */
import type { AgentAnswer } from '../controller/host-sources.ts';
import type { AgentStatus, Disabled, LastRun, PullStatus } from '../protocol/status.ts';
import { formatDuration } from '../util/duration.ts';
import { plural, safeText } from '../util/text.ts';
import { shortId } from '../util/uuid.ts';
import { driftWords } from './drift.ts';
import { holderOf } from './words.ts';

export const HOST_STATES = ['applying', 'stuck', 'disabled', 'idle', 'no answer'] as const;
export type HostState = (typeof HOST_STATES)[number];

export function stateOf({ status }: AgentAnswer): HostState {
  if (status === undefined) return 'no answer';
  if (status.obstacle !== undefined) return 'stuck';
  if (status.running !== undefined) return status.running.stuck === undefined ? 'applying' : 'stuck';
  return status.disabled === undefined ? 'idle' : 'disabled';
}

/** One line without the host's name. Times are reckoned by the host's own clock. */
export function stateText({ status, error = 'no answer' }: AgentAnswer): string {
  if (status === undefined) return safeText(error);
  const { running, disabled, obstacle, waiting, lastRun, pull, pullOff, time } = status;
  const isIdle = running === undefined && disabled === undefined && obstacle === undefined;
  const parts = [
    ...(disabled === undefined ? [] : [disabledWords(disabled, time)]),
    ...(running === undefined ? [] : [applyingWords(running, time)]),
    ...(obstacle === undefined ? [] : [`no run can begin: ${obstacle}`]),
    ...(isIdle ? ['idle'] : []),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
    ...(running === undefined ? [lastRunWords(lastRun, time)] : []),
    ...(pull === undefined || disabled !== undefined ? [] : [pullWords(pull, time)]),
    ...(pullOff === undefined ? [] : [pullOffWords(pullOff)]),
  ];
  return safeText(parts.join('; '));
}

type Running = NonNullable<AgentStatus['running']>;

function applyingWords(running: Running, now: number): string {
  const { pid, what, since, by, job, isRun, stuck, next } = running;
  if (isRun === false) return `no run can begin: the lock is held by ${holderOf(running, now)}`;
  const isOurs = by !== undefined;
  const inside = [
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(isOurs ? [] : [what]),
    ...(job === undefined ? [] : [`job ${shortId(job)}`]),
    ...(isOurs ? [`by ${by}`] : []),
  ];
  const how = since === undefined ? '' : ` since ${formatDuration(now - since)}`;
  const text = `applying a catalog${how} (${inside.join(', ')})`;
  if (stuck === undefined) return text;
  const todo = next ?? (isOurs ? 'kick cancel ends it' : 'kick leaves it alone');
  return `${text}, stuck: ${stuck} (${todo})`;
}

/** `disabled: 'reason' by root@puppet until 18:00`. */
export function disabledWords({ reason, by, until }: Disabled, now: number): string {
  const who = by === undefined ? ' by puppet agent --disable' : ` by ${by}`;
  const end = until === undefined ? '' : ` until ${timeText(until, now)}${until < now ? ' (overdue)' : ''}`;
  return `disabled: '${reason}'${who}${end}`;
}

function lastRunWords(lastRun: LastRun | undefined, now: number): string {
  if (lastRun === undefined) return 'no run is known';
  const { status, at, noop, cachedCatalog } = lastRun;
  const more = [
    noop === true ? 'noop' : '',
    driftWords(lastRun, status === 'failed'),
    cachedCatalog === undefined ? '' : 'cached catalog',
    skippedWords(lastRun),
    environmentWords(lastRun),
  ].filter((words) => words !== '');
  const when = isAhead(at, now) ? `at ${timeText(at, now)}, in the future by its clock` : agoText(now - at);
  return `last run ${status}${more.length === 0 ? '' : ` (${more.join(', ')})`} ${when}`;
}

/** It is told by the host's own clock, too: only one that was set back makes a run of the future. */
export function isAhead(at: number, now: number): boolean {
  return at - now > 60_000;
}

function skippedWords({ resources }: LastRun): string {
  const { total = 0, skipped = 0 } = resources ?? {};
  return total > 0 && skipped === total ? `all ${plural(total, 'resource')} skipped` : '';
}

function environmentWords({ environment, settingsEnvironment: said }: LastRun): string {
  return environment === undefined || said === undefined
    ? ''
    : `environment ${environment}, its settings say ${said}`;
}

function pullWords({ nextAt }: PullStatus, now: number): string {
  return nextAt < now
    ? `next run overdue since ${timeText(nextAt, now)}`
    : `next run at ${timeText(nextAt, now)}`;
}

const pullOffWords = (why: string) => `pull mode is off: ${why}`;

/** `9 minutes ago`. */
export function agoText(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ];
  const [size, name] = units.find(([unit]) => ms >= 2 * unit || (unit === 60_000 && ms >= unit)) ?? [
    1000,
    'second',
  ];
  const count = Math.max(0, Math.floor(ms / size));
  return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}

/** `18:00` today, else with its date; local time. */
export function timeText(ms: number, now: number): string {
  const [then, today] = [new Date(ms), new Date(now)];
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (then.toDateString() === today.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

/** Milliseconds after which a host that somebody has disabled without an end is one that was forgotten. */
const FORGOTTEN_MS = 86_400_000;

/**
 * Why a host should run again, and does not: disabled past its end, or for more than a day without
 * one, its own schedule off, or past the time of its next run by more than an interval. Undefined when nothing is overdue.
 */
export function overdueText({ status }: AgentAnswer): string | undefined {
  if (status === undefined) return undefined;
  const { disabled, pull, pullOff, running, time } = status;
  if (disabled !== undefined) {
    const { until, since } = disabled;
    if (until !== undefined) return until < time ? disabledWords(disabled, time) : undefined;
    if (since === undefined) return `${disabledWords(disabled, time)}, nobody knows since when`;
    if (time - since < FORGOTTEN_MS) return undefined;
    return `${disabledWords(disabled, time)} since ${timeText(since, time)}, without an end`;
  }
  if (pullOff !== undefined) return pullOffWords(pullOff);
  if (pull === undefined || running !== undefined || time - pull.nextAt < pull.intervalMs) return undefined;
  return pullWords(pull, time);
}
