/** DESIGN 4: an agent that dies during a run. Every request gets one true outcome, and no run is made twice. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isAlive, signalProcess } from '../../src/util/proc.ts';
import { reboot } from '../support/reboot.ts';
import { AGENTS } from './agents.ts';
import { kickInRun, outcomesOf, type Place, placeOf, until, useLab } from './harness.ts';
import { calm, catalogsOf, letGo, messageOn, newMessage } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.agentKilled;
let place: Place;

beforeAll(async () => {
  place = await placeOf(lab, agent);
});

afterAll(() => place?.running.end('SIGTERM'));

beforeEach(async () => {
  await place.running.startAgain();
  await calm(lab, agent);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a run whose agent ends with %s and is started again has its true outcome, and is not repeated',
  async (signal) => {
    const { running } = place;
    const message = await newMessage(lab, agent);
    const before = catalogsOf(lab, agent);
    const { kick, puppet } = await kickInRun(lab, place);

    await running.end(signal);
    expect(isAlive(puppet)).toBe(true);
    await running.startAgain();
    await letGo(lab, agent);
    const result = await kick.result;

    expect(outcomesOf(result)).toEqual({ [agent]: 'changed' });
    expect(result.exit).toBe(0);
    expect(messageOn(lab, agent)).toBe(message);
    expect(catalogsOf(lab, agent)).toBe(before + 1);
  },
);

test('a run that ends while its agent is dead has its true outcome when the agent is back', async () => {
  const { running } = place;
  await newMessage(lab, agent);
  const before = catalogsOf(lab, agent);
  const { kick, puppet } = await kickInRun(lab, place);

  await running.end('SIGKILL');
  await letGo(lab, agent);
  await until('the run to end', () => !isAlive(puppet));
  await running.startAgain();

  expect(outcomesOf(await kick.result)).toEqual({ [agent]: 'changed' });
  expect(catalogsOf(lab, agent)).toBe(before + 1);
});

test('a run whose agent and Puppet are both killed is interrupted, and not repeated', async () => {
  const { running } = place;
  const before = catalogsOf(lab, agent);
  const { kick, puppet } = await kickInRun(lab, place);

  await running.end('SIGKILL');
  signalProcess(puppet, 'SIGKILL');
  await running.startAgain();

  expect(outcomesOf(await kick.result)).toEqual({ [agent]: 'interrupted' });
  expect(catalogsOf(lab, agent)).toBe(before + 1);
});

const foldersOf = () => ({
  stateDir: join(lab.dirOf(agent), 'kick', 'state'),
  runDir: join(lab.dirOf(agent), 'kick', 'run'),
});

test('a host that restarts during a run: the run is interrupted, and that is told at once', async () => {
  const { running } = place;
  const { kick, puppet } = await kickInRun(lab, place);

  await running.end('SIGTERM');
  signalProcess(puppet, 'SIGTERM');
  await until('the run to end', () => !isAlive(puppet));
  reboot(foldersOf());
  await running.startAgain();

  expect(outcomesOf(await kick.result)).toEqual({ [agent]: 'interrupted' });
});

test('a host that restarts when a run is over and nobody has told so: its report tells', async () => {
  const { running } = place;
  const message = await newMessage(lab, agent);
  const { kick, puppet } = await kickInRun(lab, place);

  await running.end('SIGTERM');
  await letGo(lab, agent);
  await until('the run to end', () => !isAlive(puppet));
  reboot(foldersOf());
  await running.startAgain();

  expect(outcomesOf(await kick.result)).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
});
