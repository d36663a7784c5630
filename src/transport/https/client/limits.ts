/** What a connection may cost a sender: milliseconds, bytes. */
import { MAX_EVENT_BYTES, SILENCE_MS } from '../../../protocol/event.ts';
import { MAX_ANSWER_BYTES } from '../../../protocol/request.ts';

export const SENDER_LIMITS = {
  /** Name, TCP and TLS together. */
  connectMs: 10_000,
  /** Before each further attempt, if a connection was closed before anything was sent. */
  againMs: [50, 100, 150, 200, 250, 300, 400, 500, 500, 500, 500],
  /** Until the agent asks for the body. */
  continueMs: 5000,
  /** Until the head of the answer, and until the end of a short answer. */
  answerMs: 30_000,
  silenceMs: SILENCE_MS,
  headerBytes: 8192,
  answerBytes: MAX_ANSWER_BYTES,
  eventBytes: MAX_EVENT_BYTES,
};

export type SenderLimits = typeof SENDER_LIMITS;
