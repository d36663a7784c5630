/** What every use of a link by a controller begins with, and the words for what ends it. */
import { randomBytes } from 'node:crypto';
import { SendError, type SendFailure } from '../transport.ts';
import type { Denial } from './link.ts';
import { controllerToken, type StreamName } from './subjects.ts';

/** Of the subjects that are its own; the session is random, so that nobody else's messages are taken for answers. */
export type Session = Pick<StreamName, 'controller' | 'session'>;

export function newSession(controller: string): Session {
  return { controller: controllerToken(controller), session: randomBytes(16).toString('base64url') };
}

export function deniedWords(controller: string, { operation, subject }: Denial): string {
  return `the broker does not let ${controller} ${operation} on ${subject}: see kick nats config`;
}

export const lostWords = (reason: string) => `the connection to the broker was lost: ${reason}`;

export const NOT_CONNECTED = 'kick agent is not connected to the broker';

/** Of what is said before anything is sent to the agent. */
export function notReached(code: SendFailure, message: string): SendError {
  return new SendError(code, message, { arrived: false });
}
