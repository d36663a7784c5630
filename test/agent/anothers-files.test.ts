/** DESIGN 8, "What is damaged": a whole file of one request in the place of another's is damage, and not its outcome. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Copy, copyRequest, DAMAGED_RECORD, type Kind } from '../../tools/stored-requests.ts';
import { tempFolder } from '../support/temp.ts';
import { emptyPlace, modelPlace, serves } from './damaged-place.ts';
import { command, resume, startAgent } from './harness.ts';

const FILES: readonly (readonly [Kind, string, (copy: Copy) => string])[] = [
  ['settled', 'run.json', ({ request }) => join(request, 'run.json')],
  ['ended', 'run.json', ({ request }) => join(request, 'run.json')],
  ['settled', 'the events of its run', ({ run }) => join(run, 'events.ndjson')],
];

test.each(FILES)('a request that is %s, with %s of another', async (kind, _what, fileOf) => {
  const model = await modelPlace(tempFolder());
  const folder = emptyPlace(model);
  const [one, other] = [copyRequest(model, kind, folder), copyRequest(model, kind, folder)];
  copyFileSync(fileOf(other), fileOf(one));
  const agent = await startAgent(folder, { runner: command('ok') });
  const endOf = async ({ job }: Copy) => (await resume(agent, job)).finished;
  expect(await endOf(one)).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(DAMAGED_RECORD),
  });
  expect(await endOf(other)).toMatchObject({ outcome: 'changed', run: other.runId });
  await serves(agent);
});
