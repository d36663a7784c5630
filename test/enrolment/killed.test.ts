/** kill -9 at any point, of the server or of the node: both go on from what is left, with one certificate. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatToken } from '../../src/enrolment/token.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { openEnrolments } from '../../src/pki/enrolments.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { KICK } from '../../tools/program.ts';
import {
  caSite,
  enrollHere,
  killedAfter,
  NODE,
  nodePlace,
  SERVER,
  serveHere,
  serveProcess,
  withNodeOptions,
} from '../support/enrolment.ts';

const clock = systemClock;

/** `valid`, `revoked`: how many certificates of the node there are. */
async function certificatesIn(dir: string) {
  const own = (await openAuthority(dir, { clock }).list()).filter(({ name }) => name === NODE);
  const revoked = own.filter(({ revokedAt }) => revokedAt !== undefined).length;
  return { valid: own.length - revoked, revoked };
}

test.each(['/tokens.json', `/issued/${NODE}.pem`, '/index.json', '/crl.pem'])(
  'the server, as soon as %s is written: the node asks again, and has the one certificate that is valid',
  async (end) => {
    const site = await caSite();
    const isReplacing = end === '/crl.pem';
    if (isReplacing) {
      const { port } = await serveHere(site);
      await enrollHere(port, await site.token());
    }
    const token = await site.token(NODE, { replace: isReplacing });
    const doomed = await serveProcess(site.dir, { nodeOptions: killedAfter(end) });
    const place = nodePlace();
    if (end === '/tokens.json') await doomed.kill('SIGKILL');
    await expect(enrollHere(doomed.port, token, { place })).rejects.toThrow(/ask kick pki serve/);
    const { port } = await serveProcess(site.dir);
    await enrollHere(port, token, { place });
    const { chain } = await loadIdentity(place.paths, { now: Date.now() });
    expect(await certificatesIn(site.dir)).toEqual({ valid: 1, revoked: isReplacing ? 1 : 0 });
    const [latest] = (await openAuthority(site.dir, { clock }).list()).slice(-1);
    expect(latest?.serial).toBe(chain[0]?.serialNumber);
    await expect(enrollHere(port, token)).rejects.toThrow(/used already/);
  },
);

test('a revocation whose CRL was not written any more is in it when the server is back', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const place = nodePlace();
  await enrollHere(port, await site.token(), { place });
  const token = await site.token(NODE, { replace: true });
  const doomed = await serveProcess(site.dir, { nodeOptions: killedAfter('/index.json') });
  await expect(enrollHere(doomed.port, token)).rejects.toThrow();
  const crl = join(site.dir, 'crl.pem');
  const before = readFileSync(crl, 'utf8');
  await openEnrolments(site.dir, { clock }).settle();
  expect(readFileSync(crl, 'utf8')).not.toBe(before);
});

/** `kick agent enroll` as a process, which Node's arguments may kill. */
function enrollProcess(
  port: number,
  token: string,
  { dir, nodeOptions }: { dir: string; nodeOptions?: string },
) {
  const [program = '', ...kick] = KICK;
  const words = ['agent', 'enroll', '--server', `${SERVER}:${port}`, '--pki-dir', dir, '--certname', NODE];
  const env = withNodeOptions(nodeOptions);
  return spawnSync(program, [...kick, ...words], { input: token, encoding: 'utf8', env });
}

const STEPS = [
  `/private_keys/${NODE}.pem.new`,
  '/certs/ca.pem',
  '/crl.pem',
  '/enrolment.json',
  `/private_keys/${NODE}.pem`,
  `/certs/${NODE}.pem`,
];

test.each(STEPS)('the node, as soon as %s is written: the same command goes on', async (end) => {
  const site = await caSite();
  const { port } = await serveProcess(site.dir);
  const token = formatToken(await site.token());
  const place = nodePlace();
  const { dir } = place;
  expect(enrollProcess(port, token, { dir, nodeOptions: killedAfter(end) }).signal).toBe('SIGKILL');
  const { status, stderr } = enrollProcess(port, token, { dir });
  if (end === STEPS.at(-1)) expect(stderr).toContain('can be used already');
  else expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect((await loadIdentity(place.paths, { now: Date.now() })).certname).toBe(NODE);
  expect(await certificatesIn(site.dir)).toEqual({ valid: 1, revoked: 0 });
  expect(readdirSync(join(dir, 'private_keys'))).toEqual([`${NODE}.pem`]);
});
