/** DESIGN 3, rule 3: a run that was ended before it was done, and the sentence that is true of how. */
import { constants } from 'node:os';
import { clip } from '../../util/text.ts';
import { utc } from '../disabling.ts';
import type { Ending, Evidence } from './evidence.ts';

/** Milliseconds: Ruby has no handler in its first tenth of a second; a busy or cold machine takes its time. */
const RUBY_STARTS_MS = 5000;

/** Those by which a process ends itself when it crashes. */
const CRASHES = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS'];

/** Of a run of Puppet that has not completed; undefined where nothing says that it was ended. */
export function endedEarly(evidence: Evidence): Ending | undefined {
  const { exit } = evidence;
  const signal = signalTold(evidence);
  const ended = endedBySignal(evidence, signal);
  if (ended !== undefined) return ended;
  return exit === 0 ? interrupted(withoutReport(evidence)) : undefined;
}

/** Of any program: `told` is the signal that is known otherwise than by the exit status. */
export function endedBySignal({ exit, log }: Evidence, told?: string): Ending | undefined {
  const signal = exit !== undefined && exit > 128 && exit <= 128 + 64 ? nameOf(exit - 128) : told;
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
 * What else tells of a signal. The handler of `puppet agent` is there before a run begins, and a run always makes a
 * report: an error that names a signal beside a report only quotes somebody. HUP ends it only before its handler is there.
 */
function signalTold(evidence: Evidence): string | undefined {
  const { exit, report, log, notes, isApply } = evidence;
  const caught = notes?.caught ?? [];
  if (log.caught !== undefined) return log.caught;
  if (exit === 0) return caught.find((name) => name === 'SIGTERM' || name === 'SIGINT');
  if (exit !== 1) return undefined;
  if (isApply === true) return brokenOff(evidence);
  return report === undefined ? (log.signal ?? (log.isReason ? undefined : caught[0])) : undefined;
}

/**
 * The same of `puppet apply`: `Could not run: SIGTERM`. Its handler of INT says one word on the console and exits with 1
 * (lib/puppet/application/apply.rb), without an error of Puppet's.
 */
function brokenOff({ report, log, notes }: Evidence): string | undefined {
  const signal = report === undefined ? log.signal : log.plainSignal;
  if (signal !== undefined || log.isPuppets) return signal;
  return notes?.caught[0] ?? (log.hasConsole ? 'SIGINT' : undefined);
}

/**
 * Ruby 3.3 ends with 1 and says nothing when TERM or HUP meets it while it starts. Whatever else ends Puppet with 1 makes
 * it say why, or at least open its log first; so where nothing else is known, this is what it was.
 */
export function diedSilently({ exit, log, hasLog, startedAt, notes }: Evidence): Ending | undefined {
  if (exit !== 1 || !log.isSilent || hasLog === true) return undefined;
  if (startedAt === undefined || notes === undefined || notes.at - startedAt > RUBY_STARTS_MS)
    return undefined;
  return interrupted(
    `it ended with exit code ${exit} before it said a word, as Ruby does on a signal while it starts`,
  );
}

/** What is known of a run whose report is not there, or not complete. */
export function withoutReport({ exit, report, othersReport }: Evidence): string {
  const ended = `it ended with exit code ${exit}`;
  if (report !== undefined) return `${ended} before it had applied its catalog`;
  if (othersReport === undefined) return `${ended}, and no report of it was found`;
  const began = new Date(othersReport.time ?? Number.NaN).getTime();
  const when = Number.isNaN(began) ? '' : `, which began at ${utc(began)}`;
  return `${ended}, and the report at hand is another run's${when}`;
}

function nameOf(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `signal ${signal}`;
}

/** Of a message that may have a stack below it. */
export function firstLine(text: string): string {
  return clip((text.split('\n').find((line) => line.trim() !== '') ?? '').trim(), 500);
}
