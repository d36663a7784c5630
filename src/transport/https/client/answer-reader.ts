/** A short answer: bounded in bytes and time, then JSON. */
import type { IncomingMessage } from 'node:http';
import { formatDuration } from '../../../util/duration.ts';
import { parseJson } from '../../../util/json.ts';
import { bodyWithin } from '../../../util/node-http.ts';
import { SendError } from '../../transport.ts';

export interface AnswerLimits {
  answerBytes: number;
  answerMs: number;
}

/** Reads the whole answer; throws `SendError` with `arrived` as in `sent`. */
export async function readJson(
  response: IncomingMessage,
  { sent, limits }: { sent: boolean; limits: AnswerLimits },
): Promise<unknown> {
  const { answerBytes, answerMs } = limits;
  const slow = `kick agent does not finish its answer within ${formatDuration(answerMs)}`;
  const late = new SendError('no-answer', slow, { arrived: sent });
  const timer = setTimeout(() => response.destroy(late), answerMs);
  const tooLong = () => garbage(`an answer of more than ${answerBytes} bytes`, sent);
  let body: Buffer;
  try {
    body = await bodyWithin(response, answerBytes, tooLong);
  } catch (error) {
    if (error instanceof SendError) throw error;
    throw new SendError('broken', 'the connection broke within the answer', { arrived: sent, cause: error });
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
  try {
    return parseJson(body, { maxBytes: answerBytes });
  } catch (error) {
    throw garbage('an answer that is not JSON', sent, error);
  }
}

function garbage(what: string, arrived: boolean, cause?: unknown): SendError {
  return new SendError('garbage', `not what kick agent says: ${what}`, { arrived, cause });
}
