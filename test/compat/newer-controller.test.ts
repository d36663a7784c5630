/** DESIGN 15: what a controller of a later version may ask of this agent is refused as such, and named. */
import { expect, test } from 'vitest';
import type { Refusal } from '../../src/protocol/refusal.ts';
import type { Request } from '../../src/protocol/request.ts';
import { command, peerOf, requestOf, sealed, startAgent } from '../agent/harness.ts';
import { tempFolder } from '../support/temp.ts';

/** The body with which an agent refuses a request that is changed like this. */
async function refusalOf(changes: object) {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const body = await sealed({ ...requestOf(), ...changes } as Request);
  const error = await agent.submit(body, peerOf()).catch((one: unknown) => one);
  return (error as Refusal).body;
}

const NEWER: [string, object, string[]][] = [
  ['option', { action: { op: 'run', evaltrace: true } }, ['action.evaltrace']],
  ['operation', { action: { op: 'restart', hard: true } }, ['action.op']],
  ['way of waiting', { queue: { wait: 5, rank: 1 } }, ['queue.rank']],
  ['word about the requester', { by: { user: 'a', uid: 1, host: 'h', ticket: 'x' } }, ['by.ticket']],
  ['field', { where: 'os.family=Debian' }, ['where']],
  ['version', { v: 2, action: [{ do: 'run' }], by: 'me' }, ['v']],
];

test.each(NEWER)(
  'an unknown %s is unsupported, with our version and its name',
  async (_what, changes, unknown) => {
    expect(await refusalOf(changes)).toMatchObject({
      code: 'unsupported',
      version: expect.any(String),
      unknown,
    });
  },
);

test.each([
  ['a version that is none', { v: 0 }],
  ['a newer option beside a broken one', { action: { op: 'run', evaltrace: true, tags: ['-x'] } }],
  ['an operation of 10 kB', { action: { op: 'x'.repeat(10_240) } }],
])('%s is malformed', async (_what, changes) => {
  expect(await refusalOf(changes)).toMatchObject({ code: 'malformed', version: expect.any(String) });
});
