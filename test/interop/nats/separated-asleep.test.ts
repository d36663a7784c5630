/** DESIGN 14, a helper asleep: a broker keeps the listener, and the helper only while it has something to do. */
import { expect, test } from 'vitest';
import { discover } from '../../../src/controller/fleet/discover.ts';
import { TYPES } from '../../../src/protocol/algorithm.ts';
import { sealAs } from '../../../src/protocol/seal.ts';
import { NatsCrowd } from '../../../src/transport/nats/crowd.ts';
import { controllerToken, questionSubject } from '../../../src/transport/nats/subjects.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { uuidv7 } from '../../../src/util/uuid.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { PROGRAM } from '../../../tools/program.ts';
import { startHeldAgent } from '../../../tools/socket-holder.ts';
import { afterwards } from '../../support/afterwards.ts';
import { NAME } from '../../support/real-agent.ts';
import { helperAsUnit } from '../../support/separated-agent.ts';
import { listenerAtBroker, separatedSite } from './separated-site.ts';
import { soon } from './way.ts';

test('a helper that sleeps is started by what a controller sends through the broker, and by nothing else', async () => {
  const site = await separatedSite({ command: ['/bin/sh', '-c', 'exit 2'], idle_exit: '1s' });
  const words = [...site.command({ kick: [PROGRAM] }), '--take-from', site.socket];
  const held = await startHeldAgent(helperAsUnit(words), {
    path: site.socket,
    onSpawn: (child) => afterwards(() => child.kill('SIGTERM')),
  });
  const log: string[] = [];
  await listenerAtBroker(site, { onLine: (line) => log.push(line) });
  const { link } = site.connect();
  await soon(link);
  const { certname } = site.controller;
  const forger = mintCa().controller(certname);
  const iat = Math.floor(Date.now() / 1000);
  const forged = {
    v: 1,
    jti: uuidv7(Date.now()),
    iss: certname,
    session: 'abc',
    iat,
    exp: iat + 30,
    asks: {},
  };
  link.publish(questionSubject(controllerToken(certname)), await sealAs(TYPES.question, forged, forger));
  const crowd = new NatsCrowd(link, certname);
  const ask = { identity: site.controller, crowd, clock: systemClock, expected: [NAME] };
  await expect.poll(() => log.join('\n')).toContain('a question that is not answered');
  expect(held.count('started')).toBe(0);
  await expect.poll(async () => (await discover({}, ask)).answers.get(NAME)).toMatchObject({ is: 'yes' });
  // It has ended once for each question that has started it, until one was answered in time.
  const asleep = () => held.count('started') - held.count('ended') === 0 && held.count('ended');
  await expect.poll(asleep).toBeGreaterThanOrEqual(1);
  const before = held.count('ended');
  expect((await site.kick('--all')).code).toBe(0);
  await expect.poll(asleep).toBeGreaterThan(before);
  const ends = held.lines.filter(({ msg }) => msg === 'ended').map(({ status }) => status);
  expect(new Set(ends)).toEqual(new Set([100]));
});
