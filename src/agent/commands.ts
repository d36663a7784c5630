/** What a signed request can ask beside a run: cancel, disable, enable. Done once, however often it is sent. */
import { Refusal } from '../protocol/refusal.ts';
import type { CancelAction, Request } from '../protocol/request.ts';
import type { CommandReply } from '../protocol/status.ts';
import type { Clock } from '../util/clock.ts';
import type { Disabling } from './disabling.ts';
import type { Queue } from './queue/queue.ts';
import { jobPrefix } from './requests/request-record.ts';
import type { RequestStore } from './requests/request-store.ts';

export interface CommandsDeps {
  requests: RequestStore;
  queue: Queue;
  disabling: Disabling;
  clock: Clock;
}

/** Carries out one that was admitted. Throws `Refusal`. */
export type Commands = (request: Request) => Promise<CommandReply>;

/** Requests that are remembered: as long as they live, a second one is answered as the first. */
const MAX_REMEMBERED = 10_000;

export function createCommands({ requests, queue, disabling, clock }: CommandsDeps): Commands {
  const replies = new Map<string, { reply: Promise<CommandReply>; exp: number }>();

  return (request) => {
    const known = replies.get(request.jti);
    if (known !== undefined) return known.reply;
    const now = clock.now() / 1000;
    for (const [jti, { exp }] of replies) if (exp < now || replies.size > MAX_REMEMBERED) replies.delete(jti);
    const reply = carryOut(request);
    // The skew of two clocks, and more.
    replies.set(request.jti, { reply, exp: request.exp + 120 });
    return reply;
  };

  async function carryOut(request: Request): Promise<CommandReply> {
    const { action } = request;
    switch (action.op) {
      case 'cancel':
        return cancel(action, request.iss);
      case 'disable':
        return disabling.disable({ ...request, action });
      case 'enable':
        return disabling.enable({ ...request, action });
      case 'run':
        throw new Refusal('malformed', 'op "run" here');
    }
  }

  async function cancel({ job }: CancelAction, iss: string): Promise<CommandReply> {
    if (job === undefined) return queue.cancelRun();
    const mine: string[] = [];
    for (const name of await requests.list()) {
      if (!name.startsWith(jobPrefix(job))) continue;
      const record = await requests.read(name);
      if (record !== undefined && record !== 'gone' && record.request.iss === iss) mine.push(name);
    }
    if (mine.length === 0) throw new Refusal('unknown-job', `no job "${job}" of "${iss}"`);
    const done = (await Promise.all(mine.map((name) => queue.cancel(name)))).find(
      (text) => text !== undefined,
    );
    return done === undefined
      ? { result: 'nothing', message: 'it was over already' }
      : { result: 'done', message: done };
  }
}
