/** A reporter that throws is reported once, closed, and asked nothing more. */
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import { type Guard, isolated } from '../../src/report/isolated.ts';
import type { Reporter } from '../../src/report/reporter.ts';

const EVENT: JobEvent = { type: 'host-dispatched', at: 1, certname: 'a' };

async function open(methods: Partial<Reporter>) {
  const told: unknown[] = [];
  const called: string[] = [];
  let guard: Guard | undefined;
  const note =
    (name: keyof Reporter) =>
    (...args: never[]) => {
      called.push(name);
      (methods[name] as ((...args: never[]) => void) | undefined)?.(...args);
    };
  const reporter = await isolated(
    (given) => {
      guard = given;
      const close = note('close');
      return { on: note('on'), say: note('say'), redraw: note('redraw'), close: async () => close() };
    },
    (error) => told.push(error),
  );
  return { reporter, told, called, guard: guard as unknown as Guard };
}

const broken = (why: string) => () => {
  throw new RangeError(why);
};

test.each(['on', 'say', 'redraw', 'close'] as const)(
  '%s that throws is told once, and is the last',
  async (name) => {
    const { reporter, told, called } = await open({ [name]: broken('Invalid time value') });
    const call = () =>
      ({
        on: () => reporter.on(EVENT),
        say: () => reporter.say?.('x'),
        redraw: () => reporter.redraw?.(),
        close: () => reporter.close(),
      })[name]();
    await call();
    await call();
    reporter.on(EVENT);
    await reporter.close();
    expect(told).toEqual([new RangeError('Invalid time value')]);
    // It is closed by us: it may hold the terminal.
    expect(called).toEqual(name === 'close' ? ['close'] : [name, 'close']);
  },
);

test('what a reporter does by itself, later, is as harmless; and it may not even close', async () => {
  const { reporter, told, called, guard } = await open({ close: broken('second') });
  guard(broken('first'))();
  reporter.on(EVENT);
  expect(told).toEqual([new RangeError('first')]);
  expect(called).toEqual(['close']);
});

test('one that is well is what it was, without methods that it does not have', async () => {
  const seen: JobEvent[] = [];
  const reporter = await isolated(
    () => ({ on: (event) => void seen.push(event), close: async () => {} }),
    broken('told'),
  );
  reporter.on(EVENT);
  await reporter.close();
  expect(seen).toEqual([EVENT]);
  expect(reporter).not.toHaveProperty('say');
});

test('one that cannot say how the job ended is told like any other', async () => {
  const told: unknown[] = [];
  const reporter = await isolated(
    () => ({ on() {}, close: () => Promise.reject(new Error('Cannot find module')) }),
    (error) => told.push(error),
  );
  await reporter.close();
  await reporter.close();
  expect(told).toEqual([new Error('Cannot find module')]);
});
