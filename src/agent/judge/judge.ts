/** DESIGN 3: how a run ended, from everything known of it. Neither Puppet's exit code nor its report decides alone. */
import type { FinishedEvent, RunFacts } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';
import { disabledText } from '../disabling.ts';
import type { ReportHead } from '../puppet/report.ts';
import { notesOf } from '../runs/run-notes.ts';
import { diedSilently, endedBySignal, endedEarly, firstLine, withoutReport } from './ended-early.ts';
import type { Ending, Evidence, RaceLost, Verdict } from './evidence.ts';

/** The rules of DESIGN 3 for a run of Puppet, in their order. */
export function judgePuppet(evidence: Evidence): Verdict {
  const { report, isReportDamaged, intention } = evidence;
  const facts = report === undefined ? {} : { facts: factsOf(report) };
  if (report?.transaction_completed === true) return { ...completed(evidence, report), ...facts };
  // A run that says that it was not one has left the report of another.
  if (isReportDamaged === true) return neverRan(evidence) ?? REPORT_DAMAGED;
  if (intention !== undefined) return { ...intention, ...facts };
  const ended = endedEarly(evidence);
  if (ended !== undefined) return { ...ended, ...facts };
  if (report !== undefined) return { outcome: 'failed', ...reasonOf(evidence), ...facts };
  return neverRan(evidence) ?? diedSilently(evidence) ?? unreported(evidence);
}

const REPORT_DAMAGED: Ending = {
  outcome: 'failed',
  message: 'the record is damaged: the report of the run cannot be read',
};

/** The same for a fixed command, which writes no report: 0 unchanged, 2 changed, else failed. */
export function judgeCommand(evidence: Evidence): Ending {
  const { exit, intention, notes } = evidence;
  if (intention !== undefined) return intention;
  if (exit === 0) return { outcome: 'unchanged' };
  if (exit === 2) return { outcome: 'changed' };
  const ended = endedBySignal(evidence, notes?.caught[0]);
  if (ended !== undefined) return ended;
  return { outcome: 'failed', ...reasonOf(evidence) };
}

function completed(evidence: Evidence, report: ReportHead): Ending {
  const { action, exit, log } = evidence;
  const cached = report.cached_catalog_status;
  if (action.useCachedCatalog === true && cached !== 'explicitly_requested' && cached !== 'on_failure') {
    const message =
      'Puppet could not use the cached catalog, which the request asked for, and took a new one';
    return { outcome: 'failed', message, ...(log.isReason && { error: log.error }) };
  }
  if (report.status === 'failed' || exit === 1) return { outcome: 'failed', ...reasonOf(evidence) };
  if (cached === 'on_failure') {
    const message = 'the catalog could not be fetched or compiled: the cached one was applied';
    if (action.usecacheonfailure !== true) return { outcome: 'stale', message };
    return noted({ ...byStatus(report), message }, evidence, report);
  }
  if (cached === 'explicitly_requested' && action.useCachedCatalog !== true) {
    return { outcome: 'stale', message: 'the cached catalog was applied, which the request did not ask for' };
  }
  return noted(byStatus(report), evidence, report);
}

function byStatus(report: ReportHead): Ending {
  if (report.status === 'changed') return { outcome: 'changed' };
  return { outcome: report.noop_pending === true ? 'would-change' : 'unchanged' };
}

/** Appends to a success's message what is worth knowing about it. */
function noted(ending: Ending, { action, puppet }: Evidence, report: ReportHead): Ending {
  const said = ending.message === undefined ? [] : [ending.message];
  const notes = [...said, ...notesOf({ action, report, site: puppet?.site })];
  return notes.length === 0 ? ending : { ...ending, message: clip(notes.join('; '), 2048) };
}

/**
 * Puppet was disabled, or lost the race for its run lock: it then exits with 1 and writes no report
 * (lib/puppet/agent.rb, run). Its log says so; if its log_level is above notice, what was seen at the end decides, unless
 * the log has an error, which is then the reason.
 */
function neverRan(evidence: Evidence): Verdict | undefined {
  const { exit, log, disabled, enabledMeanwhile, notes, isLockHeld } = evidence;
  if (exit !== 1) return undefined;
  if (log.saysDisabled !== undefined) {
    const words = `${firstLine(log.saysDisabled)} it has been enabled since`;
    return { outcome: 'disabled', message: disabled === undefined ? words : disabledText(disabled) };
  }
  if (log.lockTaken !== undefined) return raceLost(evidence, `: ${firstLine(log.lockTaken)}`);
  // What is lost may have said why.
  if (log.isReason || log.isCut === true) return undefined;
  if (disabled !== undefined) return { outcome: 'disabled', message: disabledText(disabled) };
  if (enabledMeanwhile !== undefined) {
    return { outcome: 'disabled', message: `${disabledText(enabledMeanwhile)}; it has been enabled since` };
  }
  if (log.lastNotice !== undefined) return undefined;
  return isLockHeld === true || notes?.isLocked === true ? raceLost(evidence) : undefined;
}

function raceLost({ isLockHeld = false }: Evidence, words = ''): RaceLost {
  const message = `Puppet considers its run lock held, though no run is in progress${words}`;
  return { outcome: 'race-lost', isHeld: isLockHeld, otherwise: { outcome: 'failed', message } };
}

/** Exit codes by which Puppet says that it has applied a catalog. */
const APPLIED: readonly (number | undefined)[] = [2, 4, 6];

/** The ending of a Puppet run without a report of its own. */
function unreported(evidence: Evidence): Ending {
  if (!APPLIED.includes(evidence.exit)) return { outcome: 'failed', ...reasonOf(evidence) };
  const { error, isReason } = evidence.log;
  return { outcome: 'failed', message: withoutReport(evidence), ...(isReason && { error }) };
}

/** Why a run failed; if nothing says why, what is known. */
function reasonOf({ exit, log }: Evidence): Pick<FinishedEvent, 'error' | 'message'> {
  if (log.error !== undefined) return { error: log.error };
  if (log.lastNotice !== undefined) {
    return { message: `it ended with exit code ${exit} after it had said: ${firstLine(log.lastNotice)}` };
  }
  if (exit === undefined) return { message: 'its report says that it failed, and no log says why' };
  const said = log.isCut === true ? ', and some of what it printed is lost' : ' and gave no reason';
  return { message: `it ended with exit code ${exit}${said}` };
}

function factsOf(report: ReportHead): RunFacts {
  const text = (name: string, value: string | null | undefined, max = 256) =>
    value === null || value === undefined || value === '' ? {} : { [name]: clip(value, max) };
  const flag = (name: string, value: boolean | null | undefined) =>
    value === null || value === undefined ? {} : { [name]: value };
  return {
    ...text('configurationVersion', report.configuration_version),
    ...text('codeId', report.code_id),
    ...text('environment', report.environment, 128),
    ...text('serverUsed', report.server_used),
    ...text('cachedCatalog', report.cached_catalog_status, 64),
    ...flag('noop', report.noop),
    ...flag('noopPending', report.noop_pending),
    ...flag('correctiveChange', report.corrective_change),
    ...(report.drift !== undefined && { drift: report.drift }),
    ...(report.resources !== undefined && { resources: report.resources }),
  };
}
