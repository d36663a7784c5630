/** DESIGN 14, the listener's side of discovery: has the helper judge a question. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { QUESTION_LIFETIME_S, type Verdict, VerdictSchema } from '../../../protocol/discovery.ts';
import { parseJson } from '../../../util/json.ts';
import { bodyWithin, httpRequest } from '../../../util/node-http.ts';
import { REQUEST_TYPE } from '../media-types.ts';

const MAX_BYTES = 8192;

/** `helper`: its socket. Undefined if there is nothing to say. Throws `Error`. */
export async function askVerdict(helper: string, question: Uint8Array): Promise<Verdict | undefined> {
  const asked = httpRequest({
    socketPath: helper,
    agent: false,
    method: 'POST',
    path: '/v1/questions',
    headers: { host: 'helper', 'content-type': REQUEST_TYPE, 'content-length': question.byteLength },
    signal: AbortSignal.timeout(QUESTION_LIFETIME_S * 1000),
  });
  asked.on('error', () => {}); // after its head it ends the answer as well
  asked.end(question);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const tooLong = () => new Error(`the helper answers with more than ${MAX_BYTES} bytes`);
  const body = await bodyWithin(answer, MAX_BYTES, tooLong);
  if (answer.statusCode === 204) return undefined;
  if (answer.statusCode !== 200) throw new Error(`the helper answers ${answer.statusCode}`);
  return v.parse(VerdictSchema, parseJson(body, { maxBytes: MAX_BYTES }));
}
