/** --where, names and exclusions together with --discover, judged by the agents of a fleet at a real broker. */
import { expect, onTestFinished, test } from 'vitest';
import { addressOf, DEFAULTS } from '../../../tools/fleet/plan.ts';
import { startFleet } from '../../../tools/fleet/start-fleet.ts';
import { freePort } from '../../../tools/loopback.ts';
import { ended, startKick } from '../../support/kick.ts';

test('agents judge an expression with the names that are meant', async () => {
  const fleet = await startFleet({ ...DEFAULTS, hosts: 4, port: await freePort(addressOf(0)), nats: true });
  onTestFinished(() => fleet.stop());
  const nodes = (...words: string[]) =>
    ended(startKick(['nodes', '--discover', ...words, '--expand', ...fleet.kickArgs()], { env: {} }));
  const names = (...numbers: number[]) => numbers.map((one) => `${fleet.names[one]}\n`).join('');
  const where = ['--where', 'fleet.number>=1 and not (fleet.number=2)'];
  expect(await nodes(...where)).toMatchObject({ out: names(1, 3), code: 0 });
  expect(await nodes(...where, '--exclude', 'host00003*')).toMatchObject({ out: names(1), code: 0 });
  expect(await nodes(...where, 'host0000[0-1].fleet.example')).toMatchObject({ out: names(1), code: 0 });
  // Of the first host the facts are enough; of the others it is not known.
  const unclear = await nodes('--where', 'fleet.number=0 or class(apache)');
  expect(unclear).toMatchObject({ out: names(0), code: 3 });
  expect(unclear.err).toMatch(/3 hosts cannot be judged/);
});
