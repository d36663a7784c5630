/** What a host does at the moment, as operators know it from MCollective's `mco puppet status`. */

import { holderOf, isDoubtful } from '../controller/fleet/holder.ts';
import { disabledWords, pullOffWords, pullWords } from '../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../controller/targeting/host-sources.ts';
import type { AgentStatus, LastRun } from '../protocol/status.ts';
import { formatDuration } from '../util/duration.ts';
import { plural, safeText } from '../util/text.ts';
import { agoText, aheadWords, dayTime, isAhead, timeText } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import { driftWords } from './drift.ts';

/** One line without the host's name. Times are reckoned by the host's own clock. */
export function stateText({ status, error = 'no answer' }: AgentAnswer): string {
  if (status === undefined) return safeText(error);
  const { running, disabled, obstacle, waiting, lastRun, pull, pullOff, broker, runner, time } = status;
  const isIdle = running === undefined && disabled === undefined && obstacle === undefined;
  // Agents of older versions do not remember what a fixed command did.
  const leavesNoReport = runner === 'command' && lastRun === undefined;
  const parts = [
    ...(disabled === undefined ? [] : [disabledWords(disabled, time)]),
    ...(running === undefined ? [] : [applyingWords(running, { now: time, runner })]),
    ...(obstacle === undefined ? [] : [`no run can begin: ${obstacle}`]),
    ...(isIdle ? ['idle'] : []),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
    ...(running === undefined && !leavesNoReport ? [lastRunWords(lastRun, time)] : []),
    ...(pull === undefined || disabled !== undefined ? [] : [pullWords(pull, time)]),
    ...(pullOff === undefined ? [] : [pullOffWords(pullOff)]),
    ...(broker === undefined || broker.server !== undefined ? [] : ['not connected to NATS']),
  ];
  return safeText(parts.join('; '));
}

type Running = NonNullable<AgentStatus['running']>;

function applyingWords(
  running: Running,
  { now, runner }: { now: number; runner: AgentStatus['runner'] },
): string {
  const { pid, what, since, by, job, isRun, stuck, next } = running;
  if (isDoubtful(running)) return `Puppet takes for a run: ${holderOf(running, now)}`;
  if (isRun === false) return `no run can begin: the lock is held by ${holderOf(running, now)}`;
  const isOurs = by !== undefined;
  const inside = [
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(isOurs ? [] : [what]),
    ...(job === undefined ? [] : [`job ${shortId(job)}`]),
    ...(isOurs ? [`by ${by}`] : []),
  ];
  const how = since === undefined ? '' : ` ${sinceWords(since, now)}`;
  const doing = runner === 'command' ? 'running its command' : 'applying a catalog';
  const text = `${doing}${how} (${inside.join(', ')})`;
  if (stuck === undefined) return text;
  const todo = next ?? (isOurs ? 'kick cancel ends it' : 'kick leaves it alone');
  return `${text}, stuck: ${stuck} (${todo})`;
}

/** Its clock may have been set back since. */
function sinceWords(since: number, now: number): string {
  return isAhead(since, now)
    ? `since ${dayTime(since, now)}${aheadWords(since, now)}`
    : `for ${formatDuration(now - since)}`;
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
  const when = isAhead(at, now) ? `at ${timeText(at, now)}${aheadWords(at, now)}` : agoText(now - at);
  return `last run ${status}${more.length === 0 ? '' : ` (${more.join(', ')})`} ${when}`;
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
