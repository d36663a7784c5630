/** A request that is being stored, or just has been, is accepted: the same one, asked again, is not refused meanwhile. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRunChecks } from '../../src/agent/admission/run-checks.ts';
import { prepareFolders } from '../../src/agent/layout.ts';
import { recordOf } from '../../src/agent/requests/request-record.ts';
import { openRequestStore } from '../../src/agent/requests/request-store.ts';
import type { RunRequest } from '../../src/protocol/request.ts';
import { systemClock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { command, requestOf } from './harness.ts';

async function place() {
  const folder = tempFolder();
  const [stateDir, runDir] = [join(folder, 'state'), join(folder, 'run')];
  const layout = await prepareFolders(stateDir, runDir);
  const requests = openRequestStore(layout.requests);
  const checks = createRunChecks({
    ...{ requests, runner: command('ok'), folders: { stateDir, runDir, layout }, queueSize: 1, version: '1' },
    // Somebody else waits.
    queue: { waiting: () => 1 },
  });
  const request = requestOf() as RunRequest;
  const store = () => requests.create(recordOf(request, systemClock), { type: 'accepted', version: '1' });
  return { requests, checks, request, store };
}

test('a request is known while it is being stored', async () => {
  const { checks, request, store } = await place();
  expect(await checks.isKnown(request)).toBe(false);
  const storing = store();
  expect(await checks.isKnown(request)).toBe(true);
  expect(await Promise.all([storing, store(), store()])).toEqual([true, false, false]);
});

test('no room is no reason to refuse a request that was accepted after it was looked for', async () => {
  const { checks, request, store } = await place();
  await expect(checks.checkRoom(request)).rejects.toMatchObject({ code: 'queue-full' });
  await Promise.all([store(), checks.checkRoom(request)]);
  await expect(checks.checkRoom()).rejects.toMatchObject({ code: 'queue-full' });
});
