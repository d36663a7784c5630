/** DESIGN 6, "Socket activation": what keeps an agent whose port systemd holds, and what does not. */
import { expect, test } from 'vitest';
import { untilIdle } from '../../src/cli/agent/idle-exit.ts';
import { silentLog } from '../../src/util/log.ts';

const IDLE_MS = 600_000;

/** An agent that nothing needs, looked at whenever its loop turns; whoever reads the clock sets it on by a minute. */
function quietAgent() {
  const state = {
    now: 0,
    isBusy: false,
    isExpected: false,
    connections: 0,
    controllerAt: undefined as number | undefined,
    pruned: 0,
    left: 0,
    /** Called at each look. */
    onLook: () => {},
  };
  const ending = new AbortController();
  const ended = untilIdle({
    rest: {
      isBusy: () => state.isBusy,
      isExpected: async () => state.isExpected,
      async prune() {
        state.pruned += 1;
      },
    },
    listener: {
      inUse() {
        const { connections, controllerAt } = state;
        return { connections, controllerAt };
      },
      async leave() {
        state.left += 1;
      },
    },
    clock: {
      now: () => 0,
      monotonic() {
        state.now += IDLE_MS / 10;
        state.onLook();
        return state.now;
      },
    },
    log: silentLog,
    signal: ending.signal,
    idleMs: IDLE_MS,
    lookMs: 0,
  });
  return { state, ended, stop: () => ending.abort() };
}

test('it ends once nothing has needed it for so long, with old records removed', async () => {
  const { state, ended } = quietAgent();
  await ended;
  expect(state.now).toBeGreaterThan(IDLE_MS);
  expect(state).toMatchObject({ left: 1, pruned: 1 });
});

test.each([
  ['a run, a request that waits, or pull mode', (on: boolean) => ({ isBusy: on })],
  ['Puppet, disabled until some time', (on: boolean) => ({ isExpected: on })],
  ['an open connection', (on: boolean) => ({ connections: on ? 1 : 0 })],
])('%s keeps it for as long as it lasts', async (_what, needs) => {
  const { state, ended } = quietAgent();
  Object.assign(state, needs(true));
  let looks = 0;
  const long = new Promise<void>((resolve) => {
    state.onLook = () => {
      looks += 1;
      if (state.now > 20 * IDLE_MS) resolve();
    };
  });
  await long;
  expect(state.left).toBe(0);
  const from = looks;
  Object.assign(state, needs(false));
  await ended;
  expect(looks).toBeGreaterThan(from);
  expect(state.left).toBe(1);
});

test('time counts from the last connection of a controller', async () => {
  const { state, ended } = quietAgent();
  let lastAt = 0;
  state.onLook = () => {
    if (state.now > 5 * IDLE_MS) return;
    lastAt = state.now;
    state.controllerAt = lastAt;
  };
  await ended;
  expect(lastAt).toBeGreaterThan(4 * IDLE_MS);
  expect(state.now - lastAt).toBeGreaterThanOrEqual(IDLE_MS);
  expect(state.now - lastAt).toBeLessThan(3 * IDLE_MS);
});

test('a signal ends it at once, whatever needs it', async () => {
  const { state, ended, stop } = quietAgent();
  state.isBusy = true;
  stop();
  await ended;
  expect(state.left).toBe(0);
});
