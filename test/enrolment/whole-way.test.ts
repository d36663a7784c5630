/** From a token to a kick, a renewal under a running agent, and a revocation that arrives by itself: real processes throughout. */
import { X509Certificate } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { writeServer } from '../../src/enrolment/node-place.ts';
import { agentCommand } from '../../tools/agent-process.ts';
import { PROGRAM } from '../../tools/program.ts';
import {
  caSite,
  enrollHere,
  LONG_AGO,
  NODE,
  nodePlace,
  SERVER,
  serveHere,
  serveProcess,
} from '../support/enrolment.ts';
import { kickNow } from '../support/kick.ts';
import { listModules } from '../support/loaded-modules.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const DEPLOY = 'deploy.example.com';

/** A controller's folder that knows the node, and `kick` there. */
function controller(port: number, pkiDir: string, certname = SERVER) {
  const dir = tempFolder();
  writeFileSync(
    join(dir, 'inventory.yaml'),
    JSON.stringify({ targets: [{ name: NODE, uri: `127.0.0.1:${port}` }] }),
  );
  writeFileSync(join(dir, 'controller.yaml'), 'puppetdb: false\n');
  const folders = [
    '--config-dir',
    dir,
    '--state-dir',
    join(dir, 'state'),
    '--pki-dir',
    pkiDir,
    '--certname',
    certname,
  ];
  return (...words: string[]) => kickNow([...words, ...folders]);
}

function agentFolder(): string {
  const configDir = join(tempFolder(), 'etc');
  mkdirSync(configDir);
  writeFileSync(join(configDir, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'] }));
  return configDir;
}

test('without a CA kick pki token says how to make one', () => {
  expect(kickNow(['pki', 'token', NODE, '--pki-dir', tempFolder()])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/there is none in .*\nhint: make one: kick pki init/),
  });
});

test('token, enroll, kick; the controller is revoked, and the agent learns it by itself', async () => {
  const pki = tempFolder();
  const place = nodePlace();
  const pkiOf = (...words: string[]) => kickNow(['pki', ...words, '--pki-dir', pki]);
  expect(pkiOf('init').code).toBe(0);
  for (const name of [SERVER, DEPLOY]) expect(pkiOf('issue', name, '--role', 'controller').code).toBe(0);
  const server = await serveProcess(pki);
  const made = pkiOf('token', NODE, '--certname', SERVER);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^kick1\.\S+\n$/) });
  expect(made.err).toContain(`  kick agent enroll --server ${SERVER} --certname ${NODE}\n`);
  expect(pkiOf('tokens').out).toMatch(/^web1\.example\.com {2}agent {2}until /);
  const enroll = ['agent', 'enroll', '--server', `${SERVER}:${server.port}`];
  const node = ['--pki-dir', place.dir, '--certname', NODE];
  const enrolled = kickNow([...enroll, ...node], { env: { KICK_TOKEN: made.out } });
  expect(enrolled).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringMatching(
      /^web1\S+ has a certificate until .*\nIn agent\.yaml, .*: certname: web1\.example\.com\nNext: /,
    ),
  });
  expect(pkiOf('tokens')).toMatchObject({ out: '', err: 'No tokens: kick pki token NAME\n' });

  const agent = await startRealAgent(
    agentCommand({ configDir: agentFolder(), pkiDir: place.dir, certname: NODE }),
  );
  // Stolen before it is revoked.
  const stolen = join(tempFolder(), 'pki');
  cpSync(pki, stolen, { recursive: true });
  const kick = controller(agent.port, stolen, DEPLOY);
  expect(kick('run', NODE, '--quiet')).toEqual({ code: 0, out: '', err: '' });
  expect(pkiOf('revoke', DEPLOY).code).toBe(0);
  process.kill(server.pid, 'SIGHUP');
  const crl = readFileSync(join(pki, 'crl.pem'), 'utf8');
  await expect
    .poll(() => process.kill(agent.pid, 'SIGHUP') && readFileSync(place.paths.crl, 'utf8'), {
      interval: 1000,
    })
    .toBe(crl);
  await expect.poll(() => kick('run', NODE, '--quiet').code, { interval: 1000 }).toBe(3);
  expect(controller(agent.port, pki)('run', NODE, '--quiet').code).toBe(0);
});

/** The serial number of the certificate that an agent shows. */
function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: NODE, rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
  });
}

test('an agent renews its certificate and serves with the new one, without a restart', async () => {
  const site = await caSite(LONG_AGO);
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  const server = await serveProcess(site.dir);
  await writeServer(place, { host: SERVER, port: server.port });
  const agent = await startRealAgent(
    agentCommand({ configDir: agentFolder(), pkiDir: place.dir, certname: NODE }),
  );
  const before = await shownBy(agent.port);
  process.kill(agent.pid, 'SIGHUP');
  await expect.poll(() => shownBy(agent.port)).not.toBe(before);
  const { serialNumber } = new X509Certificate(readFileSync(place.paths.certificate));
  expect(await shownBy(agent.port)).toBe(serialNumber);
  expect(controller(agent.port, site.dir)('run', NODE, '--quiet').code).toBe(0);
});

test('an agent whose node enrols again serves with the new key, without a restart, and that is said', async () => {
  const site = await caSite();
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  const server = await serveProcess(site.dir);
  const agent = await startRealAgent(
    agentCommand({ configDir: agentFolder(), pkiDir: place.dir, certname: NODE }),
  );
  const before = await shownBy(agent.port);
  const token = kickNow(['pki', 'token', NODE, '--replace', '--pki-dir', site.dir]).out;
  const again = kickNow(
    [
      ...['agent', 'enroll', '--force', '--server', `${SERVER}:${server.port}`],
      ...['--pki-dir', place.dir, '--certname', NODE],
    ],
    { env: { KICK_TOKEN: token } },
  );
  expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/within seconds, without a restart/) });
  await expect.poll(() => shownBy(agent.port)).not.toBe(before);
});

test('kick doctor says that a certificate cannot be renewed, and kick agent renew why', async () => {
  const site = await caSite(LONG_AGO);
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  await writeServer(place, { host: SERVER, port: 1 });
  const configDir = agentFolder();
  const agent = await startRealAgent(agentCommand({ configDir, pkiDir: place.dir, certname: NODE }));
  process.kill(agent.pid, 'SIGHUP');
  const doctor = controller(agent.port, site.dir);
  await expect
    .poll(() => doctor('doctor', NODE).out)
    .toMatch(/it cannot be renewed: .*nothing listens there/s);
  const node = ['--pki-dir', place.dir, '--certname', NODE];
  expect(kickNow(['agent', 'renew', ...node])).toMatchObject({
    err: expect.stringContaining('nothing listens there'),
  });
  const local = kickNow([
    'doctor',
    '--local',
    ...node,
    '--config-dir',
    configDir,
    '--state-dir',
    tempFolder(),
    '--run-dir',
    tempFolder(),
  ]);
  expect(local.out).toMatch(/it cannot be renewed: ask kick pki serve on localhost:1/);
});

test('an agent that has not enrolled has loaded nothing of it', async () => {
  const site = await caSite();
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  const folder = tempFolder();
  const modules = listModules(folder);
  const start = (dir: string) =>
    startRealAgent(
      agentCommand({ configDir: agentFolder(), pkiDir: dir, certname: dir === place.dir ? NODE : SERVER }, [
        process.execPath,
        ...modules.args,
        PROGRAM,
      ]),
      { env: { ...process.env, ...modules.env } },
    );
  await (await start(site.dir)).kill();
  const loaded = () => modules.of(/\/dist\/enrolment\/.*\.js$/).map((path) => path.replace(/.*\//, ''));
  expect(loaded()).toEqual(['enrolment-file.js']);
  await (await start(place.dir)).kill();
  expect(loaded()).toContain('keep-renewed.js');
  expect(existsSync(place.paths.certificate)).toBe(true);
});
