/** DESIGN 3: how a run ended, from all that is known of it. Puppet's exit code alone does not decide, nor does the report. */
import type { FinishedEvent, RunFacts } from '../protocol/event.ts';
import type { RunAction } from '../protocol/request.ts';
import type { Disabled } from '../protocol/status.ts';
import { clip } from '../util/text.ts';
import { disabledText } from './disabling.ts';
import type { LogFindings } from './log-findings.ts';
import type { ReportHead } from './puppet/report.ts';
import { notesOf } from './run-notes.ts';
import type { Intention, PuppetPaths } from './run-store.ts';

export interface Evidence {
  action: RunAction;
  /** The process's exit status, 128 + n for a signal; absent: it was not recorded. */
  exit?: number | undefined;
  /** The run's *own* report: the caller has compared its job_id. */
  report?: ReportHead | undefined;
  /** Written down before the first signal. */
  intention?: Intention | undefined;
  log: LogFindings;
  /** Whether Puppet is disabled, and why. */
  disabled?: Disabled | undefined;
  /** As planned. */
  puppet?: PuppetPaths | undefined;
}

export type Verdict = Pick<FinishedEvent, 'outcome' | 'message' | 'error' | 'facts'> | 'race-lost';

/** The rules of DESIGN 3 for a run of Puppet, in their order. */
export function judgePuppet(evidence: Evidence): Verdict {
  const { exit, report, intention, log, disabled } = evidence;
  const facts = report === undefined ? {} : { facts: factsOf(report) };
  if (report?.transaction_completed === true) return { ...completed(evidence, report), ...facts };
  if (intention !== undefined) return { ...intention, ...facts };
  const ended = endedEarly(exit, log.signal);
  if (ended !== undefined) return { ...ended, ...facts };
  const failed = { outcome: 'failed', ...errorOf(evidence) } as const;
  if (report !== undefined) return { ...failed, ...facts };
  if (disabled !== undefined) return { outcome: 'disabled', message: disabledText(disabled) };
  if (log.namesRunLock) return 'race-lost';
  return failed;
}

/** The same for a fixed command, which writes no report: 0 unchanged, 2 changed, else failed. */
export function judgeCommand(evidence: Evidence): Verdict {
  const { exit, intention } = evidence;
  if (intention !== undefined) return intention;
  if (exit === 0) return { outcome: 'unchanged' };
  if (exit === 2) return { outcome: 'changed' };
  const ended = endedEarly(exit);
  if (ended !== undefined) return ended;
  return { outcome: 'failed', ...errorOf(evidence) };
}

function completed(evidence: Evidence, report: ReportHead): Exclude<Verdict, 'race-lost'> {
  const { action, exit } = evidence;
  if (report.status === 'failed' || exit === 1) return { outcome: 'failed', ...errorOf(evidence) };
  const cached = report.cached_catalog_status;
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

function byStatus(report: ReportHead): Exclude<Verdict, 'race-lost'> {
  if (report.status === 'changed') return { outcome: 'changed' };
  return { outcome: report.noop_pending === true ? 'would-change' : 'unchanged' };
}

/** What is worth knowing of a success, behind its message if it has one. */
function noted(
  verdict: Exclude<Verdict, 'race-lost'>,
  { action, puppet }: Evidence,
  report: ReportHead,
): Exclude<Verdict, 'race-lost'> {
  const said = verdict.message === undefined ? [] : [verdict.message];
  const notes = [...said, ...notesOf({ action, report, site: puppet?.site })];
  return notes.length === 0 ? verdict : { ...verdict, message: clip(notes.join('; '), 2048) };
}

/**
 * Exit 0 without a completed report is Puppet's answer to SIGTERM; while it loads its code it ends with 1 as for any
 * error, and only `signal`, which its log names, tells.
 */
function endedEarly(exit: number | undefined, signal?: string): Exclude<Verdict, 'race-lost'> | undefined {
  if (exit === undefined) {
    return { outcome: 'interrupted', message: 'it was ended before it was done, and nobody saw how' };
  }
  if (signal !== undefined) return { outcome: 'interrupted', message: `it was ended by ${signal}` };
  if (exit === 0) return { outcome: 'interrupted', message: 'it was asked to end before it was done' };
  if (exit > 128 && exit <= 128 + 64) {
    return { outcome: 'interrupted', message: `it was ended by signal ${exit - 128}` };
  }
  return undefined;
}

function errorOf({ exit, log }: Evidence): Pick<FinishedEvent, 'error' | 'message'> {
  if (log.error !== undefined) return { error: log.error };
  return { message: `it ended with exit code ${exit ?? 'unknown'} and told no reason` };
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
