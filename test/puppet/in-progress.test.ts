/** DESIGN 4: a run that is in progress already, whoever began it, is waited for and never joined. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import { kickInRun, outcomesOf, type Place, placeOf, until, useLab } from './harness.ts';
import { calm, catalogsOf, heldRunOf, hold, letGo, messageOn, newMessage, puppetByHand } from './runs.ts';

const lab = useLab();

const [agent] = AGENTS.inProgress;
let place: Place;

beforeAll(async () => {
  place = await placeOf(lab, agent);
});

afterAll(() => place?.running.end('SIGTERM'));

beforeEach(() => calm(lab, agent));

const isAccepted = (line: Record<string, unknown>) => line['audit'] === 'accepted';
const isReleased = ({ msg }: { msg: string }) => msg === 'run released';

test('kick waits for a run by hand, then applies what that run had not seen', async () => {
  const { certname, running, controller } = place;
  await hold(lab, agent);
  const before = catalogsOf(lab, agent);
  puppetByHand(lab, agent);
  await until('the run by hand', () => heldRunOf(lab, agent));
  const message = await newMessage(lab, agent);

  const isThere = running.logged('the request', isAccepted);
  const kick = controller.start(certname);
  await isThere;
  await letGo(lab, agent);
  const result = await kick.result;

  expect(outcomesOf(result)).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
  expect(catalogsOf(lab, agent)).toBe(before + 2);
});

test("kick names the holder of cron's run where it may not wait, and waits where it may", async () => {
  const { certname, controller } = place;
  await hold(lab, agent);
  const before = catalogsOf(lab, agent);
  puppetByHand(lab, agent, { detached: true });
  const holder = await until("cron's run", () => heldRunOf(lab, agent));

  const isThere = place.running.logged('the request', isAccepted);
  const waiting = controller.start(certname);
  await isThere;
  const [skipped, impatient] = await Promise.all([
    controller.kick(certname, '--if-running', 'skip'),
    controller.kick(certname, '--wait', '1s'),
  ]);
  await letGo(lab, agent);
  const patient = await waiting.result;

  expect(outcomesOf(skipped)).toEqual({ [agent]: 'busy' });
  expect(skipped.exit).toBe(4);
  expect(skipped.stdout).toContain(String(holder.pid));
  expect(outcomesOf(impatient)).toEqual({ [agent]: 'busy' });
  expect(impatient.stdout).toContain(String(holder.pid));
  expect(outcomesOf(patient)).toEqual({ [agent]: 'unchanged' });
  expect(catalogsOf(lab, agent)).toBe(before + 2);
});

test('kicks during a kick wait, and one run serves those that ask the same', async () => {
  const { certname, running, controller } = place;
  const before = catalogsOf(lab, agent);
  const from = running.log.length;
  const { kick: first } = await kickInRun(lab, place);
  const message = await newMessage(lab, agent);

  const second = controller.start(certname);
  const third = controller.start(certname);
  await until('three requests', () => running.log.slice(from).filter(isAccepted).length === 3);
  const other = controller.start(certname, '--noop');
  await until('four requests', () => running.log.slice(from).filter(isAccepted).length === 4);
  await letGo(lab, agent);
  const results = await Promise.all([first, second, third, other].map(({ result }) => result));

  const outcomes = results.map((result) => outcomesOf(result)[agent]);
  // The run that the first had begun does not answer the others, and theirs has changed the message.
  expect(outcomes).toEqual(['unchanged', 'changed', 'changed', 'unchanged']);
  expect(messageOn(lab, agent)).toBe(message);
  const released = () => running.log.slice(from).filter(isReleased).length;
  await until('three runs', () => released() >= 3);
  expect(released()).toBe(3);
  expect(catalogsOf(lab, agent)).toBe(before + 3);
});
