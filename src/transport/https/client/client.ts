/** DESIGN 6, the controller's side of the seam over HTTPS: one connection per question. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createSecureContext, type TLSSocket } from 'node:tls';
import * as v from 'valibot';
import type { Identity } from '../../../pki/identity.ts';
import { isKnownCode, RefusalSchema, refusalRow } from '../../../protocol/refusal.ts';
import { type Log, silentLog } from '../../../util/log.ts';
import { createPace } from '../../../util/pace.ts';
import { clip } from '../../../util/text.ts';
import { tlsOptions } from '../../tls/options.ts';
import {
  type IncomingEvent,
  SendError,
  type Sender,
  type StreamBudget,
  type Target,
  wholeBudget,
} from '../../transport.ts';
import { EVENTS_TYPE, JSON_TYPE } from '../media-types.ts';
import { readJson } from './answer-reader.ts';
import { attempts } from './attempts.ts';
import { type DirectOptions, directReach, type Reach } from './connect.ts';
import { readEvents } from './event-reader.ts';
import { type Answer, exchange, type Question } from './exchange.ts';
import { SENDER_LIMITS, type SenderLimits } from './limits.ts';

export interface HttpsSenderOptions {
  identity: Identity;
  /** Milliseconds for name, TCP and TLS together; defaults to 10 s. */
  connectTimeoutMs?: number;
  log?: Log;
  limits?: Partial<SenderLimits>;
  /** Makes what connects to hosts; defaults to connections to their ports. */
  reach?: (options: DirectOptions) => Reach;
}

/**
 * How many connections are made at once. Each takes two milliseconds of CPU when the handshake arrives, and
 * a few hundred of these in one turn of the event loop would hold up everything else. A host that does not
 * answer soon makes room: while silent it costs nothing.
 */
const PACE = { atOnce: 8, roomAfterMs: 50 };

/**
 * Makes a sender for any number of hosts. The shape of a status is loaded with the first question for one, which a run does
 * not ask. Throws `KickError` `identity` for an identity without CA or CRL.
 */
export function httpsSender(options: HttpsSenderOptions): Sender {
  const line = createLine(options);
  return {
    submit(target, body, { signal, budget }) {
      const question: Question = { method: 'POST', path: '/v1/runs', body };
      return askForEvents(line, { target, question, signal }, budget);
    },
    resume(target, { job, after, signal, budget }) {
      const path = `/v1/jobs/${encodeURIComponent(job)}/events?after=${after}`;
      return askForEvents(line, { target, question: { method: 'GET', path }, signal }, budget);
    },
    async status(target, { signal, classes = false, doctor = false }) {
      const { StatusSchema } = await import('../../../protocol/status.ts');
      const asked = [...(classes ? ['classes=1'] : []), ...(doctor ? ['doctor=1'] : [])];
      const path = `/v1/status${asked.length === 0 ? '' : `?${asked.join('&')}`}`;
      return askForJson(line, { target, question: { method: 'GET', path }, signal }, StatusSchema);
    },
    async command(target, body, { signal }) {
      const { CommandReplySchema } = await import('../../../protocol/status.ts');
      const question: Question = { method: 'POST', path: '/v1/commands', body };
      return askForJson(line, { target, question, signal }, CommandReplySchema);
    },
    close: line.close,
  };
}

interface Call {
  target: Target;
  question: Question;
  signal: AbortSignal;
}

/** What all questions share: the identity, the pace of new connections, and the end. */
interface Line {
  limits: SenderLimits;
  ask(call: Call): Promise<Answer>;
  /** Whether a call was aborted, by its signal or by `close`. */
  isStopped(signal: AbortSignal): boolean;
  close(): void;
}

function createLine({
  identity,
  connectTimeoutMs,
  log = silentLog,
  limits: some,
  reach: makeReach = directReach,
}: HttpsSenderOptions): Line {
  const limits: SenderLimits = { ...SENDER_LIMITS, ...some };
  const connectMs = connectTimeoutMs ?? limits.connectMs;
  // One for all hosts: it holds the parsed CAs and CRLs.
  const secureContext = createSecureContext(tlsOptions(identity));
  const reach = makeReach({ secureContext, denied: identity.denied, connectMs });
  const pace = createPace(PACE);
  const open = new Set<TLSSocket>();
  let isClosed = false;
  const isStopped = (signal: AbortSignal) => isClosed || signal.aborted;

  const ask = (call: Call) =>
    attempts(() => askOnce(call), { waitsMs: limits.againMs, signal: call.signal, withinMs: connectMs });

  async function askOnce({ target, question, signal }: Call): Promise<Answer> {
    if (isStopped(signal)) throw aborted(false);
    const leave = await pace.enter();
    if (isStopped(signal)) {
      leave();
      throw aborted(false);
    }
    const slot = createSlot(open, signal);
    try {
      const socket = await reach(target, { signal, onSocket: slot.take }).finally(leave);
      return await exchange(socket, question, { target, limits });
    } catch (error) {
      slot.forget();
      if (isStopped(signal)) throw aborted(error instanceof SendError && error.arrived);
      if (error instanceof SendError) {
        const { certname, host, port } = target;
        log.debug({ certname, host, port, failure: error.failure, err: error.cause }, error.message);
      }
      throw error;
    }
  }

  return {
    limits,
    ask,
    isStopped,
    close() {
      isClosed = true;
      for (const socket of open) socket.destroy();
    },
  };
}

/** The socket of one call, destroyed when the signal aborts. */
function createSlot(open: Set<TLSSocket>, signal: AbortSignal) {
  let socket: TLSSocket | undefined;
  const stop = () => socket?.destroy();
  const forget = () => signal.removeEventListener('abort', stop);
  setMaxListeners(0, signal); // one for each host
  signal.addEventListener('abort', stop);
  return {
    forget,
    take(opened: TLSSocket) {
      socket = opened;
      open.add(opened);
      opened.once('close', () => {
        open.delete(opened);
        if (opened === socket) forget();
      });
    },
  };
}

/** The events of a 200. An abort is reported as such rather than as the broken connection that it causes. */
async function* stream(
  response: IncomingMessage,
  { signal, budget }: { signal: AbortSignal; budget: StreamBudget },
  { limits, isStopped }: Line,
): AsyncGenerator<IncomingEvent> {
  try {
    yield* readEvents(response, { ...limits, budget });
  } catch (error) {
    throw isStopped(signal) ? aborted(true) : error;
  }
}

async function askForEvents(
  line: Line,
  call: Call,
  budget: StreamBudget = wholeBudget(),
): Promise<AsyncIterable<IncomingEvent>> {
  const { question, signal } = call;
  const answer = await line.ask(call);
  try {
    const { limits } = line;
    const response = await accept(answer, { question, type: EVENTS_TYPE, limits });
    return stream(response, { signal, budget }, line);
  } catch (error) {
    throw line.isStopped(signal) ? aborted(answer.sent) : error;
  }
}

async function askForJson<S extends v.GenericSchema>(
  line: Line,
  call: Call,
  schema: S,
): Promise<v.InferOutput<S>> {
  const { question, signal } = call;
  const { limits } = line;
  const answer = await line.ask(call);
  try {
    const response = await accept(answer, { question, type: JSON_TYPE, limits });
    const value = await readJson(response, { sent: answer.sent, limits });
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    // What a newer agent has added to a list of words, or made longer, does not cost the rest.
    const { fitTo } = await import('../../../util/fit.ts');
    const fitted = fitTo(schema, value);
    if (fitted !== undefined) return fitted;
    throw garbage('an answer of another shape', answer.sent);
  } catch (error) {
    throw line.isStopped(signal) ? aborted(answer.sent) : error;
  }
}

interface Expectation {
  question: Question;
  type: string;
  limits: SenderLimits;
}

/** Returns the answer's body if it is of the expected type; throws `SendError` `refused` or `garbage` otherwise. */
async function accept(
  { response, sent }: Answer,
  { question, type, limits }: Expectation,
): Promise<IncomingMessage> {
  const { statusCode, headers } = response;
  if (statusCode === 200) {
    const framed = headers['transfer-encoding'] === 'chunked' || headers['content-length'] !== undefined;
    if (headers['content-type'] === type && framed && (question.body === undefined || sent)) return response;
    response.destroy();
    throw garbage(`an answer of type "${clip(headers['content-type'] ?? '', 80)}"`, sent);
  }
  const parsed = v.safeParse(RefusalSchema, await readJson(response, { sent, limits }));
  if (!parsed.success) throw garbage(`an answer with status ${statusCode}`, sent);
  const refusal = parsed.output;
  const { code } = refusal;
  // After an error of its own, the agent does not know how far it got; of a newer agent's codes, the status tells.
  const isError = isKnownCode(code) ? code === 'internal' : (statusCode ?? 0) >= 500;
  throw new SendError('refused', refusalRow(code).means, { arrived: sent && isError, refusal });
}

function garbage(what: string, arrived: boolean): SendError {
  return new SendError('garbage', `not what kick agent says: ${what}`, { arrived });
}

function aborted(arrived: boolean): SendError {
  return new SendError('aborted', 'given up before the answer', { arrived });
}
