/** DESIGN 3, rule 3: runs that were ended before they were done, and a sentence that truthfully says how. */
import { constants } from 'node:os';
import { clip } from '../../util/text.ts';
import { utc } from '../disabling.ts';
import { reportTime } from '../puppet/report.ts';
import type { Ending, Evidence } from './evidence.ts';

/** Milliseconds in which Ruby may have no signal handler yet: a tenth of a second, but longer on a busy machine. */
const RUBY_STARTS_MS = 5000;

/** Signals that mean a crash. */
const CRASHES = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS'];

/** Judges a Puppet run that did not complete; undefined if nothing says that it was ended. */
export function endedEarly(evidence: Evidence): Ending | undefined {
  const { exit } = evidence;
  const signal = signalFound(evidence);
  const ended = endedBySignal(evidence, signal);
  if (ended !== undefined) return ended;
  return exit === 0 ? interrupted(withoutReport(evidence)) : undefined;
}

/** The same for any program: `found` is a signal known from elsewhere than the exit status. */
export function endedBySignal({ exit, log }: Evidence, found?: string): Ending | undefined {
  const signal = exit !== undefined && exit > 128 && exit <= 128 + 64 ? nameOf(exit - 128) : found;
  if (signal === undefined) {
    const unseen = 'it was ended before it was done, and nobody saw how';
    return exit === undefined ? interrupted(unseen) : undefined;
  }
  if (!CRASHES.includes(signal)) return interrupted(`it was ended by ${signal}`);
  const { error, isReason } = log;
  if (error === undefined || !isReason) return interrupted(`it crashed with ${signal}`);
  return { ...interrupted(`it crashed with ${signal}: ${firstLine(error.message)}`), error };
}

function interrupted(message: string): Ending {
  return { outcome: 'interrupted', message };
}

/**
 * Other evidence of a signal. `puppet agent` installs its handler before a run starts, and every run writes a report: if
 * there is a report, an error that names a signal only quotes it. HUP only ends Puppet before its handler is installed.
 */
function signalFound(evidence: Evidence): string | undefined {
  const { exit, report, log, notes, isApply } = evidence;
  const caught = notes?.caught ?? [];
  if (log.caught !== undefined) return log.caught;
  if (exit === 0) return caught.find((name) => name === 'SIGTERM' || name === 'SIGINT');
  if (exit !== 1) return undefined;
  if (isApply === true) return brokenOff(evidence);
  return report === undefined ? (log.signal ?? (log.isReason ? undefined : caught[0])) : undefined;
}

/**
 * The same for `puppet apply`: `Could not run: SIGTERM`. Its INT handler prints one word on the console and exits with 1
 * (lib/puppet/application/apply.rb), without an error of Puppet's.
 */
function brokenOff({ report, log, notes }: Evidence): string | undefined {
  const signal = report === undefined ? log.signal : log.plainSignal;
  if (signal !== undefined || log.isPuppets) return signal;
  return notes?.caught[0] ?? (log.hasConsole ? 'SIGINT' : undefined);
}

/**
 * Ruby 3.3 silently exits with 1 when it gets TERM or HUP while it starts. In all other cases of exit code 1 Puppet says
 * why, or at least opens its log first. So if nothing else is known, this is what happened.
 */
export function diedSilently({ exit, log, hasLog, startedAt, notes }: Evidence): Ending | undefined {
  if (exit !== 1 || !log.isSilent || hasLog === true) return undefined;
  if (startedAt === undefined || notes === undefined || notes.at - startedAt > RUBY_STARTS_MS)
    return undefined;
  return interrupted(
    `it ended with exit code ${exit} before it printed anything, as Ruby does on a signal during its start`,
  );
}

/** What is known of a run whose report is missing or incomplete. */
export function withoutReport({ exit, report, othersReport }: Evidence): string {
  const ended = `it ended with exit code ${exit}`;
  if (report !== undefined) return `${ended} before it had applied its catalog`;
  if (othersReport === undefined) return `${ended}, and no report of it was found`;
  const began = reportTime(othersReport.time);
  const when = Number.isNaN(began) ? '' : `, which began at ${utc(began)}`;
  return `${ended}, and the report at hand is another run's${when}`;
}

function nameOf(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}

/** The first line of a message, which may be followed by a stack trace. */
export function firstLine(text: string): string {
  return clip((text.split('\n').find((line) => line.trim() !== '') ?? '').trim(), 500);
}
