/**
 * DESIGN 12, discovery, the controller's side: the answers to one question. Whatever comes from a broker is hostile: it is
 * bounded, and counts only with the signature of the host that it names, over this very question.
 */
import { commonNameOf } from '../../pki/der.ts';
import type { ChainVerifier } from '../../pki/peer-chain.ts';
import { TYPES } from '../../protocol/algorithm.ts';
import { type Answer, MAX_DISCOVERY_BYTES, parseAnswer } from '../../protocol/discovery.ts';
import { decodeEnvelope, verifySignature } from '../../protocol/envelope.ts';
import { isCertname } from '../../protocol/names.ts';

/** A host's own answer. */
export interface HostAnswer {
  certname: string;
  is: Answer['is'];
  why?: string;
  /** Milliseconds from the question to the answer. */
  latencyMs: number;
}

/** Answers that do not count. */
export interface Ignored {
  /** Not signed by the host that they name, of another CA, revoked, or to another question. */
  forged: number;
  /** Of a host that had answered. */
  repeated: number;
  /** More, or larger, than any fleet's. */
  tooMany: number;
}

export interface AnswerLimits {
  count: number;
  bytes: number;
}

const LIMITS: AnswerLimits = { count: 200_000, bytes: 256 << 20 };

/** Verified at once; signatures are verified in Node's thread pool. */
const AT_ONCE = 16;

/** Of one host. More are not looked at: a forged one must not keep the real one out. */
const PER_HOST = 8;

export interface Answers {
  readonly hosts: ReadonlyMap<string, HostAnswer>;
  readonly ignored: Readonly<Ignored>;
  /** Takes an answer for verification; `atMs` is milliseconds since the question. */
  take(certname: string, body: Uint8Array, atMs: number): void;
  /** Whether all that was taken has been looked at. */
  isIdle(): boolean;
  /** Resolves when it has. */
  idle(): Promise<void>;
}

export interface AnswersOptions {
  /** The question's `jti`. */
  question: string;
  verifier: ChainVerifier;
  /** Milliseconds since 1970. */
  now(): number;
  /** Called with each host that has answered. */
  onHost?(answer: HostAnswer): void;
  limits?: AnswerLimits;
}

export function createAnswers({ question, verifier, now, onHost, limits = LIMITS }: AnswersOptions): Answers {
  const hosts = new Map<string, HostAnswer>();
  const ignored: Ignored = { forged: 0, repeated: 0, tooMany: 0 };
  const waiting: { certname: string; body: Uint8Array; atMs: number }[] = [];
  const hasRoom = createRoom(limits);
  const onIdle: (() => void)[] = [];
  let underWay = 0;

  async function look({ certname, body, atMs }: (typeof waiting)[number]): Promise<void> {
    if (hosts.has(certname)) {
      ignored.repeated += 1;
      return;
    }
    try {
      const { is, why } = await openAnswer(body, { certname, question, verifier, now: now() });
      if (hosts.has(certname)) {
        ignored.repeated += 1;
        return;
      }
      const answer = { certname, is, latencyMs: atMs, ...(why !== undefined && { why }) };
      hosts.set(certname, answer);
      onHost?.(answer);
    } catch {
      ignored.forged += 1;
    }
  }

  function next(): void {
    while (underWay < AT_ONCE) {
      const one = waiting.shift();
      if (one === undefined) break;
      underWay += 1;
      void look(one).finally(() => {
        underWay -= 1;
        next();
      });
    }
    if (underWay === 0 && waiting.length === 0) for (const done of onIdle.splice(0)) done();
  }

  return {
    hosts,
    ignored,
    take(certname, body, atMs) {
      if (hosts.has(certname)) ignored.repeated += 1;
      else if (body.byteLength > MAX_DISCOVERY_BYTES || !isCertname(certname)) ignored.forged += 1;
      else if (!hasRoom(certname, body.byteLength)) ignored.tooMany += 1;
      else {
        waiting.push({ certname, body: Buffer.from(body), atMs });
        next();
      }
    },
    isIdle: () => underWay === 0 && waiting.length === 0,
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve);
        next();
      }),
  };
}

/** Whether one more answer is looked at; then it counts. */
function createRoom(limits: AnswerLimits): (certname: string, size: number) => boolean {
  const tries = new Map<string, number>();
  let [count, bytes] = [0, 0];
  return (certname, size) => {
    const tried = tries.get(certname) ?? 0;
    if (count >= limits.count || bytes + size > limits.bytes || tried >= PER_HOST) return false;
    count += 1;
    bytes += size;
    tries.set(certname, tried + 1);
    return true;
  };
}

/** Throws for anything but the answer of this host to this question. */
async function openAnswer(
  body: Uint8Array,
  asked: { certname: string; question: string; verifier: ChainVerifier; now: number },
): Promise<Answer> {
  const envelope = decodeEnvelope(body, TYPES.answer);
  const { leaf, intermediates } = envelope;
  // What costs nothing comes first.
  if (commonNameOf(leaf) !== asked.certname) throw new Error('the certificate is of another host');
  const certificate = asked.verifier.verify([leaf, ...intermediates], { now: asked.now, use: 'serverAuth' });
  const answer = parseAnswer(await verifySignature(envelope, certificate));
  if (answer.iss !== asked.certname) throw new Error('the answer is of another host');
  if (answer.question !== asked.question) throw new Error('an answer to another question');
  return answer;
}
