/** Signed requests other than runs: cancel, disable, enable. Each is carried out once, however often it is sent. */
import { Refusal } from '../protocol/refusal.ts';
import { type CancelAction, canonicalAction, type Request } from '../protocol/request.ts';
import type { CommandReply } from '../protocol/status.ts';
import type { Clock } from '../util/clock.ts';
import type { Disabling } from './disabling.ts';
import type { Queue } from './queue/queue.ts';
import type { CommandMarks } from './requests/command-marks.ts';
import { jobPrefix, requestName } from './requests/request-record.ts';
import type { RequestStore } from './requests/request-store.ts';

export interface CommandsDeps {
  requests: RequestStore;
  queue: Queue;
  disabling: Disabling;
  clock: Clock;
  /** Absent where nobody but its signer can send a request again. */
  marks(): CommandMarks | undefined;
}

/** Carries out an admitted request. Throws `Refusal`. */
export type Commands = (request: Request) => Promise<CommandReply>;

/** A request that was carried out, by its issuer and jti: two controllers may use the same jti. */
interface Remembered {
  reply: Promise<CommandReply>;
  /** The action in its one spelling. */
  asked: string;
  /** Seconds since 1970. */
  exp: number;
}

/** Maximum number of remembered requests. While a request is valid, a repetition gets the same answer. */
const MAX_REMEMBERED = 10_000;

export function createCommands({ requests, queue, disabling, clock, marks }: CommandsDeps): Commands {
  const replies = new Map<string, Remembered>();

  return async (request) => {
    const { iss, jti, action } = request;
    const key = `${iss} ${jti}`;
    const asked = canonicalAction(action);
    const known = replies.get(key);
    if (known !== undefined) {
      if (known.asked !== asked)
        throw new Refusal('job-conflict', `jti "${jti}" asked ${known.asked} before`);
      return known.reply;
    }
    const now = clock.now() / 1000;
    for (const [name, { exp }] of replies)
      if (exp < now || replies.size > MAX_REMEMBERED) replies.delete(name);
    const reply = once(request);
    // More than the maximum clock skew.
    replies.set(key, { reply, asked, exp: request.exp + 120 });
    reply.catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'no-space') replies.delete(key);
    });
    return reply;
  };

  /** One that may be sent by others is marked first: a crash loses it, and repeats it never. */
  async function once(request: Request): Promise<CommandReply> {
    await marks()?.take(request);
    return carryOut(request);
  }

  async function carryOut(request: Request): Promise<CommandReply> {
    const { action } = request;
    switch (action.op) {
      case 'cancel':
        return cancel(action, request.iss, { requests, queue });
      case 'disable':
        return disabling.disable({ ...request, action });
      case 'enable':
        return disabling.enable({ ...request, action });
      case 'run':
        throw new Refusal('malformed', 'op "run" here');
    }
  }
}

async function cancel(
  { job }: CancelAction,
  iss: string,
  { requests, queue }: Pick<CommandsDeps, 'requests' | 'queue'>,
): Promise<CommandReply> {
  if (job === undefined) return queue.cancelRun();
  const mine: string[] = [];
  for (const name of await requests.list()) {
    if (!name.startsWith(jobPrefix(job))) continue;
    const attempt = Number(name.split('.')[1]);
    if (name !== requestName({ iss, job, attempt })) continue;
    const record = await requests.read(name);
    if (record !== undefined && record !== 'gone') mine.push(name);
  }
  if (mine.length === 0) throw new Refusal('unknown-job', `no job "${job}" of "${iss}"`);
  const done = (await Promise.all(mine.map((name) => queue.cancel(name)))).find((text) => text !== undefined);
  return done === undefined
    ? { result: 'nothing', message: 'it was over already' }
    : { result: 'done', message: done };
}
