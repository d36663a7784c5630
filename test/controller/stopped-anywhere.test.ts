/**
 * A job is stopped, or a connection is cut, at any byte of the way to a host: nothing is said of the host but what may be
 * true (DESIGN 3, "What the controller decides"), and the job can go on.
 */
import { describe, expect, test } from 'vitest';
import type { Controller } from '../../src/controller/controller.ts';
import type { HostResult } from '../../src/controller/jobs/job.ts';
import type { JobSettings } from '../../src/controller/jobs/stored-job.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import type { Cut } from '../support/cutting-proxy.ts';
import { bytesOf, type HeldAgent, heldAgent, places } from '../support/held-agent.ts';
import { agentIdentity, controller as identity, PATIENT } from '../transport/sending.ts';
import { targetAt } from '../transport/support.ts';
import { newController } from './new-controller.ts';

const PLACES = 24;
const SETTINGS: JobSettings = { lostAfterMs: 600_000, connectTimeoutMs: 600_000, accept: [], version: '1' };

const controllerHere = () => newController(identity, () => httpsSender({ identity, limits: PATIENT }));

const jobOn = (port: number) => ({
  ...{
    id: uuidv7(Date.now()),
    controller: identity.certname,
    by: { user: 'deploy', uid: 0, host: 'puppet' },
  },
  ...{ action: { op: 'run' as const }, concurrency: 1, targets: [targetAt(port)] },
});

let known: Readonly<Record<Cut['from'], number>> | undefined;

/** How many a job with one host takes, that ends by itself. */
async function bytesFrom(from: Cut['from']): Promise<number> {
  known ??= await bytesOf(agentIdentity, (port) =>
    controllerHere().run({ job: jobOn(port), settings: SETTINGS }),
  );
  return known[from];
}

type Ended = Pick<HostResult, 'outcome' | 'message'> & { isTaken: boolean };

/** What is false: nothing can have begun there, says the job, and it has. */
const untruths = (all: readonly Ended[]) =>
  all.filter(
    ({ isTaken, outcome }) => isTaken && ['not-started', 'unreachable', 'refused'].includes(outcome),
  );

const outcomesOf = (all: readonly Ended[]) => [...new Set(all.map(({ outcome }) => outcome))].sort();

interface Stopping {
  controller: Controller;
  agent: HeldAgent;
  id: string;
  ended: Ended;
}

/** Starts a job whose only connection stands still at some place, and stops it there by `signal`, or by its time limit. */
async function stoppedAt(
  cut: Omit<Cut, 'how'>,
  { timeoutMs }: { timeoutMs?: number } = {},
): Promise<Stopping> {
  const agent = await heldAgent(agentIdentity, { ...cut, how: 'stall' });
  const controller = controllerHere();
  const job = jobOn(agent.proxy.port);
  const stop = new AbortController();
  const settings = { ...SETTINGS, ...(timeoutMs !== undefined && { timeoutMs }) };
  const running = controller.run({ job, settings }, { signal: stop.signal });
  // A time limit may be over before the connection has got there.
  await Promise.race([agent.proxy.reached, running]);
  await agent.proxy.quiet();
  if (timeoutMs === undefined) stop.abort();
  const { results } = await running;
  await agent.proxy.quiet();
  const [result] = results;
  if (result === undefined) throw new Error('no result');
  return { controller, agent, id: job.id, ended: { ...result, isTaken: agent.isTaken() } };
}

describe.each(['client', 'server'] as const)('standing still after some bytes of the %s', (from) => {
  test('Ctrl-C: a host that may have begun is unfinished; then the job goes on', async () => {
    const all: Ended[] = [];
    for (const after of places(await bytesFrom(from), PLACES)) {
      const { controller, agent, id, ended } = await stoppedAt({ from, after });
      all.push(ended);
      // Stopped again before the host has a place: what was said is not taken back.
      const again = await controller.resume(id, { signal: AbortSignal.abort() });
      all.push({ ...again.results[0], isTaken: agent.isTaken() } as Ended);
      agent.finish();
      const { results } = await controller.resume(id);
      expect(results, `after ${after}`).toMatchObject([{ outcome: 'changed' }]);
    }
    expect(untruths(all)).toEqual([]);
    expect(outcomesOf(all)).toEqual(['not-started', 'unfinished']);
  });

  test('--timeout: a host that may have begun is unfinished', async () => {
    const timeoutMs = 1000;
    const all = await Promise.all(
      places(await bytesFrom(from), 8).map((after) => stoppedAt({ from, after }, { timeoutMs })),
    );
    expect(untruths(all.map(({ ended }) => ended))).toEqual([]);
    expect(all.map(({ ended }) => ended.outcome).filter((one) => one === 'changed')).toEqual([]);
  });

  test.each(['reset', 'end'] as const)('%s: the host is asked again until its end is known', async (how) => {
    const bytes = await bytesFrom(from);
    const all = await Promise.all(
      places(bytes, PLACES).map(async (after) => {
        const agent = await heldAgent(agentIdentity, { from, after, how });
        agent.finish();
        const { results } = await controllerHere().run({ job: jobOn(agent.proxy.port), settings: SETTINGS });
        return results[0]?.outcome;
      }),
    );
    expect(all).toEqual(Array(PLACES).fill('changed'));
  });
});
