/** When a schedule's times are: five fields of cron, in a time zone. */
import { Cron } from 'croner';
import { messageOf } from '../../../errors.ts';
import { dateOf, isTimeZone } from '../../../util/times.ts';

/** Why it cannot be used; undefined if it can. */
export function cronProblem(
  cron: string,
  zone: string,
): { field: 'cron' | 'zone'; message: string } | undefined {
  if (!isTimeZone(zone)) {
    return { field: 'zone', message: `there is no time zone "${zone}"; write one like Europe/Berlin` };
  }
  // Croner also takes nicknames (@hourly) and a single date in ISO 8601.
  if (cron.trim().split(/\s+/).length !== 5) return { field: 'cron', message: 'not five fields' };
  try {
    if (opened(cron, zone).nextRun() === null) return { field: 'cron', message: 'it never comes' };
    return undefined;
  } catch (error) {
    return { field: 'cron', message: messageOf(error).replace(/^CronPattern: /, '') };
  }
}

/** The next times after `after`, milliseconds since 1970. Throws for what `cronProblem` finds. */
export function nextTimes(
  { cron, zone }: { cron: string; zone: string },
  after: number,
  count: number,
): number[] {
  return opened(cron, zone)
    .nextRuns(count, dateOf(after))
    .map((at) => at.getTime());
}

/** Without a function it has no timers. */
function opened(cron: string, zone: string): Cron {
  return new Cron(cron, { timezone: zone, mode: '5-part', paused: true });
}
