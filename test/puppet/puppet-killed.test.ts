/** DESIGN 3 and 4: a run that is ended from outside, and a kick that is. */
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isAlive, signalProcess } from '../../src/util/proc.ts';
import { AGENTS } from './agents.ts';
import { kickInRun, outcomesOf, type Place, placeOf, until, useLab } from './harness.ts';
import { calm, hold, letGo, messageOn, newMessage, puppetRunOf } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.puppetKilled;
let place: Place;

beforeAll(async () => {
  place = await placeOf(lab, agent, { yaml: 'kill_grace: 2s\n' });
});

afterAll(() => place?.running.end('SIGTERM'));

beforeEach(() => calm(lab, agent));

test('a run whose Puppet is killed with TERM or KILL is interrupted, and the next one is well', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const { kick, puppet } = await kickInRun(lab, place);
    signalProcess(puppet, signal);

    const result = await kick.result;

    expect([signal, outcomesOf(result)]).toEqual([signal, { [agent]: 'interrupted' }]);
    expect(result.exit).toBe(1);
  }
  await letGo(lab, agent);
  await newMessage(lab, agent);
  expect(outcomesOf(await place.controller.kick(place.certname))).toEqual({ [agent]: 'changed' });
});

test('a run past --run-timeout is timed-out and ended', async () => {
  await hold(lab, agent);

  const result = await place.controller.kick(place.certname, '--run-timeout', '5s');

  expect(outcomesOf(result)).toEqual({ [agent]: 'timed-out' });
  expect(result.exit).toBe(1);
  expect(puppetRunOf(lab, agent)).toBeUndefined();
});

test('a run outlives kick itself: Ctrl-C leaves it running and says so', async () => {
  const message = await newMessage(lab, agent);
  const { kick, puppet } = await kickInRun(lab, place);
  kick.process.kill('SIGINT');

  const result = await kick.result;

  expect(result.exit).toBe(130);
  expect(outcomesOf(result)).toEqual({ [agent]: 'unfinished' });
  expect(isAlive(puppet)).toBe(true);
  await letGo(lab, agent);
  await until('the run to end', () => !isAlive(puppet));
  expect(messageOn(lab, agent)).toBe(message);
});

test('a kick that is killed leaves the run, and the same host answers the next kick', async () => {
  const { certname, controller } = place;
  const { kick, puppet } = await kickInRun(lab, place);
  const gone = once(kick.process, 'exit');
  kick.process.kill('SIGKILL');
  await gone;
  expect(isAlive(puppet)).toBe(true);
  await letGo(lab, agent);

  expect(outcomesOf(await controller.kick(certname))).toEqual({ [agent]: 'unchanged' });
});
