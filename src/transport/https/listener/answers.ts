/** Short answers, and what becomes of errors. */
import type { ServerResponse } from 'node:http';
import { messageOf } from '../../../errors.ts';
import { Refusal, type RefusalBody, RefusalSchema } from '../../../protocol/refusal.ts';
import { fitTo } from '../../../util/fit.ts';
import type { Log } from '../../../util/log.ts';
import type { QuietLog } from '../../../util/quiet-log.ts';
import { JSON_TYPE } from '../media-types.ts';
import { HttpProblem, REFUSAL_STATUS } from './refusal-status.ts';

export interface ErrorLogs {
  log: Log;
  /** For events that strangers can cause at will. */
  quiet: QuietLog;
}

/** Answers with the code of an error, or breaks off an answer that has begun. `address`: of who asked. */
export function sendError(
  response: ServerResponse,
  error: unknown,
  { log, quiet, address }: ErrorLogs & { address: string },
): void {
  if (response.headersSent) {
    log.error({ address, err: error }, 'the stream of events broke');
    response.destroy();
    return;
  }
  const answer = answerTo(error);
  if (answer === undefined) log.error({ address, err: error }, 'a request met an error of our own');
  else if (!(error instanceof Refusal)) {
    quiet({ address, status: answer.status, reason: messageOf(error) }, 'request turned away');
  }
  const { status, body, headers } = answer ?? { status: 500, body: INTERNAL, headers: {} };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendJson(response, status, body);
}

const INTERNAL: RefusalBody = { code: 'internal' };

interface Answer {
  status: number;
  body: RefusalBody;
  headers: Record<string, string>;
}

function answerTo(error: unknown): Answer | undefined {
  if (error instanceof Refusal) {
    const body = fitTo(RefusalSchema, error.body) ?? { code: error.code };
    return { status: REFUSAL_STATUS[error.code], body, headers: {} };
  }
  if (error instanceof HttpProblem) return error;
  // From Express, for invalid percent-encoding in a path.
  if (error instanceof URIError) return { status: 400, body: { code: 'malformed' }, headers: {} };
  return undefined;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': JSON_TYPE,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
  });
  response.end(body);
}
