/** What a connection may cost either side. Milliseconds, bytes, counts. */
import { ALIVE_EVERY_MS, MAX_EVENT_BYTES, SILENCE_MS } from '../../protocol/event.ts';
import { MAX_REQUEST_BYTES } from '../../protocol/request.ts';

export const LISTENER_LIMITS = {
  handshakeMs: 5000,
  headersMs: 5000,
  /** Until the last byte of a request; its answer may take days. */
  requestMs: 10_000,
  checkEveryMs: 1000,
  headerBytes: 8192,
  headerCount: 40,
  requestBytes: MAX_REQUEST_BYTES,
  connections: 1024,
  handshakes: 64,
  handshakesPerAddress: 8,
  aliveMs: ALIVE_EVERY_MS,
  /** How long a controller may leave a stream unread; it can resume. */
  stallMs: 60_000,
  closeMs: 3000,
};

export type ListenerLimits = typeof LISTENER_LIMITS;

export const SENDER_LIMITS = {
  /** Name, TCP and TLS together. */
  connectMs: 10_000,
  /** Until the agent asks for the body. */
  continueMs: 5000,
  /** Until the head of the answer, and of a short answer until its end. */
  answerMs: 30_000,
  silenceMs: SILENCE_MS,
  headerBytes: 8192,
  /** A status with the names of ten thousand classes fits. */
  answerBytes: 1024 * 1024,
  eventBytes: MAX_EVENT_BYTES,
  /** Of one connection's events; more than the agent keeps of any run. */
  streamBytes: 64 * 1024 * 1024,
};

export type SenderLimits = typeof SENDER_LIMITS;
