/** DESIGN 12, discovery: asks all agents at a broker, and waits for as long as answers come. */
import { randomUUID } from 'node:crypto';
import { KickError, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { chainVerifier } from '../../pki/peer-chain.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import {
  type Asks,
  MAX_DISCOVERY_BYTES,
  QUESTION_LIFETIME_S,
  type Question,
} from '../../protocol/discovery.ts';
import { sealAs } from '../../protocol/seal.ts';
import type { Crowd } from '../../transport/transport.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { createAnswers, type HostAnswer, type Ignored } from './answers.ts';

const LOOK_EVERY_MS = 10;

/** Milliseconds. */
const WAIT = {
  connect: 10_000,
  /** Without an answer: the least, and as a share of the slowest round trip; the longest, which the first one has as well. */
  quiet: 100,
  share: 0.5,
  mostQuiet: 2000,
  /** The least while hosts are missing that are expected. */
  quietForMissing: 400,
  /** In all, while answers come. */
  most: 30_000,
};

export interface DiscoverOptions {
  identity: Identity;
  crowd: Crowd;
  clock: Clock;
  /** Hosts that should answer, if any are known. */
  expected?: Iterable<string> | undefined;
  /** Hosts for which it is not so are to say so; defaults to whether any are expected. */
  all?: boolean | undefined;
  /** Milliseconds: waits exactly so long. Defaults to as long as answers come. */
  waitMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with each host that has answered. */
  onHost?: ((answer: HostAnswer) => void) | undefined;
}

export interface Discovered {
  /** All that answered, by certname; the fastest first. */
  answers: ReadonlyMap<string, HostAnswer>;
  ignored: Ignored;
  /** Expected and silent. */
  silent: string[];
  /** How many were expected; undefined if nobody knows. */
  expected: number | undefined;
  /** Milliseconds from the question to the end of the wait. */
  tookMs: number;
}

/** Throws `KickError` `config` if no broker can be reached, or the question does not fit. */
export async function discover(asks: Asks, options: DiscoverOptions): Promise<Discovered> {
  const { identity, crowd, clock, waitMs, signal = new AbortController().signal } = options;
  const expected = options.expected === undefined ? undefined : new Set(options.expected);
  const all = options.all === true || expected !== undefined;
  await untilReady(crowd, signal);
  const question = questionOf(asks, { identity, crowd, now: clock.now(), all });
  const body = await sealAs(TYPES.question, question, identity);
  if (body.byteLength > MAX_DISCOVERY_BYTES) throw tooLong(body.byteLength);

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const progress: Progress = { missing: new Set(expected), slowestMs: undefined, isOver: false };
  let failure: string | undefined;
  const answers = createAnswers({
    question: question.jti,
    verifier: chainVerifier(identity),
    now: clock.now,
    onHost(answer) {
      progress.missing.delete(answer.certname);
      progress.slowestMs = Math.max(progress.slowestMs ?? 0, answer.latencyMs);
      options.onHost?.(answer);
    },
  });
  const end = crowd.ask(body, {
    onAnswer: (certname, answer) => answers.take(certname, answer, elapsed()),
    onNobody() {
      progress.isOver = true;
    },
    onFailure(reason) {
      failure = reason;
      progress.isOver = true;
    },
  });
  try {
    await untilQuiet(progress, { elapsed, isIdle: answers.isIdle, waitMs, signal });
  } finally {
    end();
  }
  await answers.idle();
  if (failure !== undefined) throw unreachable(failure);
  return {
    answers: answers.hosts,
    ignored: answers.ignored,
    silent: [...progress.missing],
    expected: expected?.size,
    tookMs: Math.round(elapsed()),
  };
}

/** How far the answers are. */
interface Progress {
  /** Expected hosts that have not answered. */
  missing: Set<string>;
  /** Milliseconds from the question to the latest answer. */
  slowestMs: number | undefined;
  /** No more can come. */
  isOver: boolean;
}

interface Waiting {
  /** Milliseconds since the question. */
  elapsed(): number;
  /** Whether every answer that came has been looked at. */
  isIdle(): boolean;
  waitMs: number | undefined;
  signal: AbortSignal;
}

async function untilQuiet(progress: Progress, { elapsed, isIdle, waitMs, signal }: Waiting): Promise<void> {
  const isQuiet = () => {
    const { slowestMs, missing } = progress;
    if (waitMs !== undefined || !isIdle()) return false;
    if (slowestMs === undefined) return elapsed() >= WAIT.mostQuiet;
    const least = missing.size > 0 ? WAIT.quietForMissing : WAIT.quiet;
    const quietMs = Math.min(Math.max(least, slowestMs * WAIT.share), WAIT.mostQuiet);
    return elapsed() - slowestMs >= quietMs;
  };
  while (!signal.aborted && !progress.isOver && elapsed() < (waitMs ?? WAIT.most)) {
    if (isQuiet()) {
      // What a busy process has not read yet is no silence.
      await nextTurn();
      await nextTurn();
      if (isQuiet()) return;
    }
    await sleep(LOOK_EVERY_MS, signal);
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function questionOf(
  asks: Asks,
  { identity, crowd, now, all }: Pick<DiscoverOptions, 'identity' | 'crowd'> & { now: number; all: boolean },
): Question {
  const iat = Math.floor(now / 1000);
  return {
    v: 1,
    jti: randomUUID(),
    iss: identity.certname,
    session: crowd.session,
    iat,
    exp: iat + QUESTION_LIFETIME_S,
    asks,
    ...(all && { all: true as const }),
  };
}

async function untilReady(crowd: Crowd, signal: AbortSignal): Promise<void> {
  try {
    await crowd.ready({ withinMs: WAIT.connect, signal });
  } catch (error) {
    throw unreachable(messageOf(error));
  }
}

function unreachable(reason: string): KickError {
  return new KickError('config', `discover hosts: ${reason}`, {
    hint: 'docs/nats.md says what the servers of nats: in controller.yaml must allow',
  });
}

function tooLong(bytes: number): KickError {
  return new KickError('usage', `discover hosts: the conditions are too long (${bytes} bytes)`, {
    hint: `all of them, signed, have at most ${MAX_DISCOVERY_BYTES} bytes`,
  });
}
