/** Cancels a request, or the run in progress. A run is only ended when it has no requests left to serve. */
import type { FinishedEvent, Holder } from '../../protocol/event.ts';
import type { CommandReply } from '../../protocol/status.ts';
import { clip } from '../../util/text.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import { finishedEvent } from '../runs/run-end.ts';
import type { Current, CurrentRun } from './current-run.ts';
import type { QueueDeps } from './queue-deps.ts';
import type { WaitingList } from './waiting-list.ts';

export interface CancelDeps extends QueueDeps {
  waiting: WaitingList;
  current: CurrentRun;
  /** Resolves once the queue is between two steps. */
  idle(): Promise<void>;
}

const BY_OPERATOR = { outcome: 'cancelled', message: 'an operator cancelled it' } as const;

/** Returns what was done, or undefined if the request neither waits nor runs. */
export async function cancelRequest(name: string, deps: CancelDeps): Promise<string | undefined> {
  const { waiting, current } = deps;
  await deps.idle();
  const found = waiting.find(name);
  if (found !== undefined) {
    await waiting.finish(found, { outcome: 'cancelled', message: 'it was cancelled before it began' });
    return 'taken off the queue';
  }
  const mine = current.get();
  const served = mine?.served.find((record) => record.name === name);
  if (mine === undefined || served === undefined) return undefined;
  if (mine.served.length === 1) {
    void mine.live.stop(BY_OPERATOR);
    return 'the run is being ended';
  }
  await takeOff(served, mine, deps);
  return 'taken off the run, which goes on for others';
}

async function takeOff(
  served: RequestRecord,
  { live, served: all }: Current,
  deps: CancelDeps,
): Promise<void> {
  all.splice(all.indexOf(served), 1);
  const message = 'it was cancelled; the run goes on for others';
  const finished: FinishedEvent = finishedEvent(
    live.record,
    { outcome: 'cancelled', message },
    { endedAt: deps.clock.now() },
  );
  await deps.requestLog.release(served.name, finished);
  deps.onOutcome(served, finished);
}

/** Ends the run in progress, if it is one of kick's, with all requests that it serves. */
export async function cancelRun({ current, runner, clock, keeper, idle }: CancelDeps): Promise<CommandReply> {
  await idle();
  const mine = current.get();
  if (mine !== undefined) {
    void mine.live.stop(BY_OPERATOR);
    const pid = mine.live.pid();
    const message = `the run is being ended${pid === undefined ? '' : ` (pid ${pid})`}`;
    return { result: 'done', message };
  }
  const gate = await runner.gate(clock.now());
  if (gate.state === 'unclear') return { result: 'nothing', message: clip(gate.problem, 2000) };
  const holder = gate.state === 'held' ? gate.holder : keeper();
  return holder === undefined
    ? { result: 'already', message: 'no run is in progress' }
    : { result: 'nothing', message: clip(leftAlone(holder), 2000) };
}

/** Why a cancel ends nothing. */
function leftAlone({ pid, what, command, user, isRun, stuck, next }: Holder): string {
  const details = [
    what,
    ...(command === undefined ? [] : [`"${command}"`]),
    ...(user === undefined ? [] : [`of ${user}`]),
  ];
  const who = pid === undefined ? what : `pid ${pid} (${details.join(', ')})`;
  const whose = isRun === false ? 'no run holds the lock' : "the run in progress is none of kick's";
  return [`${whose}, and it is left alone: ${who}`, stuck, next]
    .filter((part) => part !== undefined)
    .join('; ');
}
