/** DESIGN 12, discovery: asks all agents at a broker, and waits for as long as answers come. */
import { randomUUID } from 'node:crypto';
import { KickError, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { chainVerifier } from '../../pki/peer-chain.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import {
  type Asks,
  MAX_DISCOVERY_BYTES,
  type Meant,
  QUESTION_LIFETIME_S,
  type Question,
} from '../../protocol/discovery.ts';
import { sealAs } from '../../protocol/seal.ts';
import type { Crowd } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import { createAnswers, type HostAnswer, type Ignored } from './answers.ts';
import { newProgress, untilQuiet } from './patience.ts';

const CONNECT_MS = 10_000;

export interface DiscoverOptions {
  identity: Identity;
  crowd: Crowd;
  clock: Clock;
  /** Who is asked; defaults to everybody. A hint: others may answer. */
  meant?: Meant | undefined;
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
  /** Those of them of whom the broker says that they are not there. */
  absent: ReadonlySet<string>;
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
  const { jti, body } = await sealedQuestion(asks, { ...options, all });

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const progress = newProgress(expected);
  let failure: string | undefined;
  const answers = createAnswers({
    question: jti,
    verifier: chainVerifier(identity),
    now: clock.now,
    onHost(answer) {
      progress.hear(answer);
      options.onHost?.(answer);
    },
  });
  const { seek, end } = crowd.ask(body, {
    onAnswer: (certname, answer) => answers.take(certname, answer, elapsed()),
    onAbsent: (certname) => progress.miss(certname),
    onNobody() {
      for (const certname of progress.missing) progress.miss(certname);
      progress.isOver = true;
    },
    onFailure(reason) {
      failure = reason;
      progress.isOver = true;
    },
  });
  try {
    await untilQuiet(progress, { elapsed, isIdle: answers.isIdle, waitMs, seek, signal });
  } finally {
    end();
  }
  await answers.idle();
  if (failure !== undefined) throw unreachable(failure);
  return {
    answers: answers.hosts,
    ignored: answers.ignored,
    silent: [...progress.missing],
    absent: progress.absent,
    expected: expected?.size,
    tookMs: Math.round(elapsed()),
  };
}

async function sealedQuestion(
  asks: Asks,
  options: DiscoverOptions & { all: boolean },
): Promise<{ jti: string; body: Uint8Array }> {
  const question = questionOf(asks, options);
  const body = await sealAs(TYPES.question, question, options.identity);
  if (body.byteLength <= MAX_DISCOVERY_BYTES) return { jti: question.jti, body };
  // Who is meant need not be said.
  if (options.meant !== undefined) return sealedQuestion(asks, { ...options, meant: undefined });
  throw tooLong(body.byteLength);
}

function questionOf(
  asks: Asks,
  { identity, crowd, clock, meant, all }: DiscoverOptions & { all: boolean },
): Question {
  const iat = Math.floor(clock.now() / 1000);
  return {
    v: 1,
    jti: randomUUID(),
    iss: identity.certname,
    session: crowd.session,
    iat,
    exp: iat + QUESTION_LIFETIME_S,
    asks,
    ...(meant !== undefined && { meant }),
    ...(all && { all: true as const }),
  };
}

async function untilReady(crowd: Crowd, signal: AbortSignal): Promise<void> {
  try {
    await crowd.ready({ withinMs: CONNECT_MS, signal });
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
