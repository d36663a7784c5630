/** DESIGN 12, discovery: how long answers are waited for. Time is made up: each look at it takes 10 ms. */
import { expect, test } from 'vitest';
import { discover } from '../../src/controller/fleet/discover.ts';
import { newProgress, type Progress, untilQuiet } from '../../src/controller/fleet/patience.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { TYPES } from '../../src/protocol/algorithm.ts';
import { parseQuestion } from '../../src/protocol/discovery.ts';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { sealAs } from '../../src/protocol/seal.ts';
import type { Crowd, CrowdListener } from '../../src/transport/transport.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';

const HOSTS = ['a', 'b', 'c'];

interface Waited {
  expected?: string[];
  /** Milliseconds, by host. */
  answers?: Record<string, number>;
  absent?: string[];
  waitMs?: number;
}

/** When the wait ended, and what it knew then. */
async function waited({ expected, answers = {}, absent = [], waitMs }: Waited) {
  const progress: Progress = newProgress(expected);
  let now = 0;
  const left = Object.entries(answers);
  const elapsed = () => {
    now += 10;
    for (const [certname, latencyMs] of left.splice(0)) {
      if (latencyMs <= now) progress.hear({ certname, is: 'yes', latencyMs });
      else left.push([certname, latencyMs]);
    }
    return now;
  };
  const seek = (certnames: Iterable<string>) => {
    for (const one of certnames) if (absent.includes(one)) progress.miss(one);
  };
  const { signal } = new AbortController();
  await untilQuiet(progress, { elapsed, isIdle: () => true, waitMs, seek, signal });
  return { now, missing: [...progress.missing], absent: [...progress.absent] };
}

test('when all have answered, 100 ms of silence or half of the slowest round trip are enough', async () => {
  const fast = await waited({ expected: HOSTS, answers: { a: 10, b: 20, c: 30 } });
  expect(fast).toMatchObject({ missing: [], absent: [] });
  expect(fast.now).toBeLessThan(300);
  const slow = await waited({ expected: HOSTS, answers: { a: 10, b: 20, c: 100, d: 190 } });
  expect(slow.now).toBeGreaterThanOrEqual(290);
  expect(slow.now).toBeLessThan(500);
});

test('a host that is expected and at the broker has two seconds, however fast the others were', async () => {
  expect(await waited({ expected: HOSTS, answers: { a: 10, b: 20, c: 1900 } })).toMatchObject({
    missing: [],
  });
  const silent = await waited({ expected: HOSTS, answers: { a: 10, b: 20 } });
  expect(silent).toMatchObject({ missing: ['c'], absent: [] });
  expect(silent.now).toBeGreaterThanOrEqual(2000);
});

test('one that is not at the broker is not waited for', async () => {
  const gone = await waited({ expected: HOSTS, answers: { a: 10, b: 20 }, absent: ['c'] });
  expect(gone).toMatchObject({ missing: ['c'], absent: ['c'] });
  expect(gone.now).toBeLessThan(500);
  // It came in time after all.
  const late = await waited({ expected: HOSTS, answers: { a: 10, b: 900, c: 400 }, absent: ['c'] });
  expect(late).toMatchObject({ missing: [], absent: [] });
});

test('without an answer the wait is two seconds; as long as it is told, if it is', async () => {
  expect((await waited({})).now).toBeGreaterThanOrEqual(2000);
  expect((await waited({ expected: HOSTS, absent: HOSTS })).now).toBeGreaterThanOrEqual(2000);
  const told = await waited({ expected: HOSTS, answers: { a: 10, b: 20 }, absent: ['c'], waitMs: 700 });
  expect(told).toMatchObject({ absent: ['c'] });
  expect(told.now).toBeGreaterThanOrEqual(700);
  expect(told.now).toBeLessThan(900);
});

test('agents that are busy with a first question are not silent: they have all been heard in the end', async () => {
  const ca = mintCa();
  const agents = ['web1', 'web2', 'web3', 'web4'].map((name) => ca.agent(`${name}.example.com`));
  const controller = ca.controller();
  const certnames = agents.map(({ certname }) => certname);
  const found = await discover(
    {},
    {
      ...{ identity: controller, clock: systemClock, expected: [...certnames, 'gone.example.com'] },
      crowd: crowdOf(agents, (index) => (index === 0 ? 0 : 800)),
    },
  );
  expect([...found.answers.keys()].sort()).toEqual(certnames);
  expect(found.silent).toEqual(['gone.example.com']);
  expect([...found.absent]).toEqual(['gone.example.com']);
});

/** Each answers after so many milliseconds. */
function crowdOf(agents: readonly Identity[], delayMs: (index: number) => number): Crowd {
  async function answer(body: Uint8Array, index: number, { onAnswer }: CrowdListener): Promise<void> {
    const by = agents[index] as Identity;
    const { parts } = decodeEnvelope(body, TYPES.question);
    const { jti } = parseQuestion(Buffer.from(parts.payload, 'base64url'));
    const sealed = await sealAs(TYPES.answer, { v: 1, question: jti, iss: by.certname, is: 'yes' }, by);
    await sleep(delayMs(index));
    onAnswer(by.certname, sealed);
  }
  return {
    session: 'abc',
    ready: async () => {},
    ask(body, listener) {
      for (const index of agents.keys()) void answer(body, index, listener);
      return {
        seek: (certnames) => {
          for (const one of certnames) if (one.startsWith('gone')) listener.onAbsent(one);
        },
        end: () => {},
      };
    },
  };
}
