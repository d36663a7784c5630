/** What a connection may cost a listener: milliseconds, bytes, counts. */
import { ALIVE_EVERY_MS } from '../../protocol/event.ts';
import { MAX_REQUEST_BYTES } from '../../protocol/request.ts';
import { BACKLOG, GATE_LIMITS } from '../guard/limits.ts';

export const LISTENER_LIMITS = {
  ...GATE_LIMITS,
  headersMs: 5000,
  /** Until the last byte of a request; its answer may take days. */
  requestMs: 10_000,
  headerBytes: 8192,
  headerCount: 40,
  requestBytes: MAX_REQUEST_BYTES,
  connections: 1024,
  perKnown: 256,
  strangers: 64,
  perStranger: 8,
  backlog: BACKLOG,
  aliveMs: ALIVE_EVERY_MS,
  /** How long a controller may leave a stream unread; it can resume. */
  stallMs: 60_000,
  closeMs: 3000,
  /** How long connections that were accepted have for their request, once another process is to take the next ones. */
  leaveMs: 1000,
};

export type ListenerLimits = typeof LISTENER_LIMITS;
