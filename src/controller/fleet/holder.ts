/** Who holds a host's lock, in words. */
import type { Holder } from '../../protocol/event.ts';
import { safeText } from '../../util/text.ts';
import { aheadWords, dayTime } from '../../util/times.ts';
import { shortId } from '../../util/uuid.ts';

/** `pid 4242 (puppet agent, not by kick), since 15:31:02`; if it is most likely no run, also why and what to do. */
export function holderOf(holder: Holder, now?: number): string {
  const { isRun, stuck, next } = holder;
  const reasons = isRun === false ? [stuck, next] : isDoubtful(holder) ? [next] : [];
  const known = reasons.filter((part) => part !== undefined);
  return [whoHolds(holder, now), ...known.map(safeText)].join('; ');
}

/** Whether Puppet takes it for a run, and it does not look like one: any Ruby with "puppet" in its arguments counts. */
export function isDoubtful({ isRun, command, stuck, next }: Holder): boolean {
  return isRun !== false && command !== undefined && next !== undefined && stuck === undefined;
}

/** The same without the reason and the advice. */
export function whoHolds(
  { pid, what, command, user, began, since, by, job }: Holder,
  now = Date.now(),
): string {
  const who = [
    what,
    ...(command === undefined ? [] : [`"${command}"`]),
    ...(user === undefined ? [] : [`of ${user}`]),
    ...(began === undefined ? [] : [`begun ${dayTime(began, now)}`]),
    ...(by === undefined ? [] : [`for ${by}`]),
    ...(job === undefined ? [] : [`job ${shortId(job)}`]),
  ];
  const inside = safeText(who.join(', '));
  const named = pid === undefined ? inside : `pid ${pid} (${inside})`;
  return since === undefined ? named : `${named}, since ${dayTime(since, now)}${aheadWords(since, now)}`;
}
