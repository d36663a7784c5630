/** What a host is doing, and whether it should be doing something else. */
import type { Disabled, PullStatus } from '../../protocol/status.ts';
import { timeText } from '../../util/times.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';

export const HOST_STATES = ['applying', 'stuck', 'disabled', 'idle', 'no answer'] as const;
export type HostState = (typeof HOST_STATES)[number];

export function stateOf({ status }: AgentAnswer): HostState {
  if (status === undefined) return 'no answer';
  if (status.obstacle !== undefined) return 'stuck';
  if (status.running !== undefined) return status.running.stuck === undefined ? 'applying' : 'stuck';
  return status.disabled === undefined ? 'idle' : 'disabled';
}

export interface HostCounts {
  hosts: number;
  states: Readonly<Record<HostState, number>>;
  /** Requests that are waiting. */
  waiting: number;
}

export function countHosts(answers: readonly AgentAnswer[]): HostCounts {
  const states: Record<HostState, number> = { applying: 0, stuck: 0, disabled: 0, idle: 0, 'no answer': 0 };
  for (const answer of answers) states[stateOf(answer)] += 1;
  const waiting = answers.reduce((sum, { status }) => sum + (status?.waiting ?? 0), 0);
  return { hosts: answers.length, states, waiting };
}

/** `disabled: 'reason' by root@puppet until 18:00`. */
export function disabledWords({ reason, by, until }: Disabled, now: number): string {
  const who = by === undefined ? ' by puppet agent --disable' : ` by ${by}`;
  const end = until === undefined ? '' : ` until ${timeText(until, now)}${until < now ? ' (overdue)' : ''}`;
  return `disabled: '${reason}'${who}${end}`;
}

export function pullWords({ nextAt }: PullStatus, now: number): string {
  return nextAt < now
    ? `next run overdue since ${timeText(nextAt, now)}`
    : `next run at ${timeText(nextAt, now)}`;
}

export const pullOffWords = (why: string) => `pull mode is off: ${why}`;

/** Milliseconds after which a host that is disabled without an end counts as forgotten. */
const FORGOTTEN_MS = 86_400_000;

/**
 * Why a host should be running again and is not: it is disabled past the given end, or for more than a day
 * without one; its pull mode is off; or its next run is overdue by more than an interval. Else undefined.
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
