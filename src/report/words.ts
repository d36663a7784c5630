/** What a result is called to people. Everything that an agent said is escaped here. */
import { holderOf } from '../controller/fleet/holder.ts';
import { reasonOf as whyOf } from '../controller/fleet/result-reason.ts';
import type { HostResult, Job, StopReason } from '../controller/jobs/job.ts';
import { nextStep } from '../protocol/refusal.ts';
import { formatDuration } from '../util/duration.ts';
import { plural, safeText } from '../util/text.ts';
import { shortId } from '../util/uuid.ts';
import { driftWords } from './drift.ts';

/** Characters of a reason. */
export const MAX_REASON = 300;

/** Why a job ended early, as a sentence. */
export const STOPS: Readonly<Record<StopReason, string>> = {
  interrupted: 'interrupted',
  timeout: 'the time limit (--timeout) was reached',
  'max-failures': 'more runs failed than --max-failures allows',
  'max-unreachable': 'more hosts were unreachable than --max-unreachable allows',
  canary: 'the canary was not a success',
  declined: 'the operator said no',
  stopped: 'somebody stopped the job (kick jobs stop)',
};

export function took({ startedAt, endedAt }: HostResult): string {
  return startedAt === undefined ? '' : formatDuration(endedAt - startedAt);
}

/** What is worth knowing beside the outcome; empty when nothing is. */
export function detailOf(result: HostResult): string {
  const { waitedMs, finished } = result;
  const parts = [
    resourcesOf(result),
    driftWords(result.finished?.facts ?? {}, result.outcome === 'failed'),
    reasonOf(result),
    ...(finished?.holder === undefined ? [] : [holderOf(finished.holder)]),
    ...(waitedMs === undefined || waitedMs < 1000 ? [] : [`(waited ${formatDuration(waitedMs)})`]),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function resourcesOf({ outcome, finished }: HostResult): string {
  const { changed, failed, out_of_sync: pending } = finished?.facts?.resources ?? {};
  if (outcome === 'changed' && changed !== undefined) return plural(changed, 'resource');
  if (outcome === 'failed' && failed !== undefined && failed > 0)
    return `${plural(failed, 'resource')} failed`;
  if (outcome === 'would-change' && pending !== undefined) return `${plural(pending, 'resource')} to change`;
  return '';
}

/** Why it is this outcome, with the place in the code where there is one. */
export function reasonOf(result: HostResult): string {
  return safeText(whyOf(result, MAX_REASON));
}

/** `deploy (sudo) on puppet`: the login name, and whether another user's rights were used. */
export function whoOf({ by }: Job): string {
  return safeText(`${by.user}${by.uid === 0 && by.user !== 'root' ? ' (sudo)' : ''} on ${by.host}`);
}

/** What to do about a result, lines; none where there is nothing to say. */
export function adviceFor({ certname, refusal, detached }: HostResult, job: Job): string[] {
  if (detached === true) return [`to see how the runs end: kick jobs resume ${shortId(job.id)}`];
  if (refusal === undefined) return [];
  if (refusal.code === 'controller-not-allowed') {
    return [
      `${certname} does not accept requests from ${job.controller}.`,
      'It accepts the Puppet server (pp_cli_auth) and the names in its agent.yaml.',
      `  allow it   on ${certname}, /etc/kick/agent.yaml:  controllers: [${job.controller}]`,
      `  its log    journalctl -u kick-agent | grep ${shortId(job.id)}`,
    ];
  }
  const next = nextStep(refusal);
  return next === undefined ? [] : [`${refusal.code}: ${next}`];
}
