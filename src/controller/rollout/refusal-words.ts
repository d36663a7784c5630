/** A refusal as a sentence for people. */
import { CLOCK_RULE, clockWords, isTooFar } from '../../protocol/clocks.ts';
import { nextStep, type RefusalBody, refusalRow } from '../../protocol/refusal.ts';
import type { Action } from '../../protocol/request.ts';

/** Milliseconds; smaller differences are network latency. */
const NO_DIFFERENCE_MS = 2000;

export interface RefusalContext {
  /** Our clock when the refusal came, in milliseconds since 1970. */
  now: number;
  /** What was refused. */
  action: Action;
}

export function refusalWords(refusal: RefusalBody, { now, action }: RefusalContext): string {
  const { code, time, version, runner } = refusal;
  const { means } = refusalRow(code);
  const aheadMs = time === undefined ? 0 : time * 1000 - now;
  // Whatever its code: older agents answer `expired` when our clock is behind theirs.
  if (isTooFar(aheadMs)) return `${clockWords(aheadMs)}: ${CLOCK_RULE}`;
  if (code === 'unsupported' && version !== undefined && runner === undefined) {
    const parts = unsupportedParts(refusal, action);
    return `the agent is kick ${version} and does not support ${parts}: upgrade it, or leave ${parts} out`;
  }
  const about = [
    ...(Math.abs(aheadMs) < NO_DIFFERENCE_MS ? [] : [clockWords(aheadMs)]),
    ...(version === undefined ? [] : [`it runs kick ${version}`]),
  ];
  return about.length > 0 ? `${means} (${about.join(', ')})` : means;
}

/** The same on one line, with the code and what to do about it. */
export function refusalLine(refusal: RefusalBody, context: RefusalContext): string {
  const { code } = refusal;
  const next = nextStep(refusal);
  return `${code}: ${refusalWords(refusal, context)}${next === undefined ? '' : `; ${next}`}`;
}

/**
 * What an agent does not support, as it is typed: `--noop or --tags`. Agents of 0.1 do not say which of the options it is.
 */
function unsupportedParts({ unknown = [] }: RefusalBody, action: Action): string {
  const options = Object.keys(action).filter((key) => key !== 'op');
  const isOption = (key: string) => options.includes(key);
  const parts =
    unknown.length === 0
      ? options
      : unknown.map((path) => (path === 'action.op' ? action.op : path.replace(/^action\./, '')));
  const typed = parts.map((part) => (isOption(part) ? optionName(part) : part));
  return typed.length > 0 ? typed.join(' or ') : action.op;
}

/** `skipTags` is typed `--skip-tags`. */
const optionName = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
