/** What docs/cron.md gives to cron, to systemd, to r10k and to the system's log, tried with the programs themselves. */
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readDocument } from '../../scripts/docs.ts';
import { agentCommand } from '../../tools/agent-process.ts';
import { PROGRAM, ROOT } from '../../tools/program.ts';
import { unitCommand } from '../../tools/unit-command.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { ended } from '../support/kick.ts';
import { anySignal, readUntil, requestFor, startRealAgent } from '../support/real-agent.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { helperAsUnit, listenerAsUnit, separatedAgent } from '../support/separated-agent.ts';
import { tempFolder } from '../support/temp.ts';

const documentation = readDocument('docs/cron.md');
const packaged = (name: string) => readFileSync(join(ROOT, 'packaging', name), 'utf8');

/** A shell in which `kick` is this program, with a site's folders. */
function shell({ folder, env }: Site, command: string) {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = join(bin, 'kick');
  // Once: what is being written cannot be executed by another shell.
  if (!existsSync(program)) {
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, { mode: 0o755 });
  }
  return ended(spawn('/bin/sh', ['-c', command], { env: { ...env, PATH: `${bin}:/usr/bin:/bin` } }));
}

/** A block of docs/cron.md that holds this, as it would be copied. */
function block(text: string): string {
  const found = codeBlocks(documentation).filter((one) => one.text.includes(text));
  expect(found, `docs/cron.md has one block with ${text}`).toHaveLength(1);
  return found[0]?.text.trimEnd() ?? '';
}

test('the crontab is the packaged one, and its line does what it says', async () => {
  const line = block('0 2 * * *').split('\n').at(-1) ?? '';
  expect(packaged('cron/kick').trim().split('\n').at(-1)).toBe(line);
  const [, minute, hour, user, command = ''] =
    /^(\S+) (\S+) \* \* \* {2}(\S+) {2}(kick .*)$/.exec(line) ?? [];
  expect([minute, hour, user]).toEqual(['0', '2', 'root']);
  const site = await realSite(2, (_name, index) => `exit ${index === 0 ? 0 : 2}`);
  site.inventory({ targets: [{ name: 'down.example.com', uri: '127.0.0.1:1' }] });
  site.controllerYaml({ puppetdb: false });
  expect(await shell(site, command)).toEqual({ out: '', err: '', code: 0 });
  site.inventory({ targets: [{ name: 'lost.invalid' }] });
  // What is accepted is no reason for a mail; without it there is one.
  expect(await shell(site, command.replace('unreachable,', ''))).toMatchObject({
    code: 3,
    out: expect.stringContaining('kick nightly: 1 of 3'),
  });
});

test('the timer and its service are the packaged ones; systemd accepts them', async () => {
  const timer = packaged('systemd/kick-nightly.timer');
  const service = packaged('systemd/kick-nightly.service');
  expect(documentation).toContain('systemctl enable --now kick-nightly.timer');
  const folder = tempFolder();
  const site = await realSite(1, () => 'exit 0');
  site.controllerYaml({ puppetdb: false, syslog: ['/bin/sh', '-c', `cat >'${folder}/log'`] });
  // The unit names /usr/bin/kick: here it is another file.
  const program = join(folder, 'kick');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'kick-nightly.timer'), timer);
  writeFileSync(join(folder, 'kick-nightly.service'), service.replace('/usr/bin/kick', program));
  const paths = ['kick-nightly.timer', 'kick-nightly.service'].map((name) => join(folder, name));
  const verified = execFileSync('systemd-analyze', ['verify', '--man=no', ...paths], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(verified).toBe('');
  const [, when = ''] = /^OnCalendar=(.*)$/m.exec(timer) ?? [];
  expect(execFileSync('systemd-analyze', ['calendar', when], { encoding: 'utf8' })).toMatch(/02:00:00/);
  const [, command = ''] = /^ExecStart=\/usr\/bin\/(kick .*)$/m.exec(service) ?? [];
  expect(await shell(site, command)).toEqual({ out: '', err: '', code: 0 });
  await expect.poll(() => readFileSync(join(folder, 'log'), 'utf8')).toContain('web1.example.com: unchanged');
});

test('the unit of kick pki serve: systemd accepts it, finds it well shut, and it can write to its CA alone', () => {
  const path = join(tempFolder(), 'kick-pki.service');
  const unit = packaged('systemd/kick-pki.service').replaceAll('/usr/bin/kick', PROGRAM);
  expect(readDocument('docs/getting-started.md')).toContain('systemctl enable --now kick-pki');
  writeFileSync(path, unit);
  execFileSync('systemd-analyze', ['verify', '--man=no', path]);
  const checks = ['security', '--offline=yes', '--threshold=20', '--no-pager'];
  execFileSync('systemd-analyze', [...checks, path], { stdio: 'ignore' });
  expect(unit.match(/^ReadWritePaths=.*$/gm)).toEqual(['ReadWritePaths=/etc/kick/pki']);
});

test('the unit of kick serve: systemd accepts it, and finds it well shut; the drop-in for an agent beside it', () => {
  const own = tempFolder();
  const unit = packaged('systemd/kick-serve.service')
    .replaceAll('/usr/bin/kick', PROGRAM)
    .replace(/^(User|Group)=kick$/gm, '$1=daemon');
  writeFileSync(join(own, 'kick-serve.service'), unit);
  execFileSync('systemd-analyze', ['verify', '--man=no', join(own, 'kick-serve.service')]);
  // Its exposure, of 100.
  const checks = ['security', '--offline=yes', '--threshold=20', '--no-pager'];
  execFileSync('systemd-analyze', [...checks, join(own, 'kick-serve.service')], { stdio: 'ignore' });
  expect(unit).toMatch(/^StateDirectory=kick\/jobs kick\/locks kick\/web$/m);

  const agent = packaged('systemd/kick-agent.service').replaceAll('/usr/bin/kick', PROGRAM);
  writeFileSync(join(own, 'kick-agent.service'), agent);
  const dropIn = 'kick-agent.service.d/controller.conf';
  mkdirSync(join(own, 'kick-agent.service.d'));
  writeFileSync(join(own, dropIn), packaged(`systemd/${dropIn}`));
  execFileSync('systemd-analyze', ['verify', '--man=no', join(own, 'kick-agent.service')]);
});

test('the units of an agent in two processes: systemd accepts them, finds the listener well shut, and both are one program', async () => {
  const own = tempFolder();
  for (const name of [
    'kick-listener.service',
    'kick-helper.service',
    'kick-helper.socket',
    'kick-agent.service',
  ]) {
    const unit = packaged(`systemd/${name}`).replaceAll('/usr/bin/kick', PROGRAM);
    writeFileSync(join(own, name), unit.replace(/^(User|Group|SocketUser)=kick-listener$/gm, '$1=daemon'));
  }
  for (const name of ['kick-listener.service', 'kick-helper.service', 'kick-helper.socket'])
    execFileSync('systemd-analyze', ['verify', '--man=no', join(own, name)]);
  const exposure = (name: string) => {
    const said = execFileSync('systemd-analyze', [
      'security',
      '--offline=yes',
      '--no-pager',
      join(own, name),
    ]);
    return Number(/Overall exposure level for \S+: ([\d.]+) /.exec(said.toString())?.[1]);
  };
  expect(exposure('kick-listener.service')).toBeLessThan(2);
  const [, said = ''] =
    /^\| kick-listener\.service \| ([\d.]+) \|$/m.exec(readDocument('docs/security.md')) ?? [];
  expect(exposure('kick-listener.service')).toBe(Number(said));
  // What a run inherits is the same in either form.
  const inherited = (name: string) =>
    packaged(`systemd/${name}`).match(
      /^(KillMode|OOMPolicy|RuntimeDirectory\w*|StateDirectory\w*|Restart\w*)=.*$/gm,
    );
  expect(inherited('kick-helper.service')).toEqual(inherited('kick-agent.service'));
  expect(exposure('kick-helper.service')).toBe(exposure('kick-agent.service'));
});

test('the listener of two processes, as its unit starts it, serves without memory that can be written and executed', async () => {
  const folder = tempFolder();
  const agent = await separatedAgent(folder, { command: ['/bin/sh', '-c', 'exit 2'] }, [PROGRAM]);
  await agent.startHelper(helperAsUnit);
  const listener = await agent.startListener(listenerAsUnit);
  const { body } = await requestFor(agent.controller);
  const stream = await agent.sender.submit(agent.target(), body, { signal: anySignal() });
  expect(await readUntil(stream, 'finished')).toMatchObject({ outcome: 'changed' });
  const maps = readFileSync(`/proc/${listener.pid}/smaps`, 'utf8');
  expect(maps.match(/^\S+ rwx.*$/gm)).toBeNull();
});

test("the agent's unit: systemd accepts it, and what it starts says nothing but its log, and runs", async () => {
  const unit = packaged('systemd/kick-agent.service');
  const site = await realSite(1, () => 'exit 2');
  const own = join(site.folder, 'web1.example.com');
  const kick = join(site.folder, 'kick');
  symlinkSync(PROGRAM, kick);
  writeFileSync(join(own, 'kick-agent.service'), unit.replace('/usr/bin/kick', kick));
  execFileSync('systemd-analyze', ['verify', '--man=no', join(own, 'kick-agent.service')]);
  const folders = {
    ...{ configDir: own, stateDir: join(own, 'unit'), runDir: join(own, 'unit-run') },
    ...{ pkiDir: join(site.folder, 'pki'), certname: 'web1.example.com' },
  };
  const agent = await startRealAgent(unitCommand(agentCommand(folders, [kick])), { stderr: 'collect' });
  const inventory = { targets: [{ name: 'web1.example.com', uri: `127.0.0.1:${agent.port}` }] };
  writeFileSync(join(site.folder, 'etc', 'inventory.yaml'), JSON.stringify(inventory));
  expect(await site.kick('web1.example.com')).toMatchObject({
    code: 0,
    out: expect.stringContaining('changed'),
  });
  await agent.kill();
  expect(agent.said()).toBe('');
});

test('the deploy hook: the last of many deploys is always followed by a kick', async () => {
  const hook = block('#!/bin/sh');
  const site = await realSite(1, () => 'echo begin >>"$JOURNAL"; held; exit 2');
  site.controllerYaml({ puppetdb: false });
  const path = join(site.folder, 'hook');
  writeFileSync(path, `${hook}\n`, { mode: 0o755 });
  // r10k calls it after each deploy: five, the last four while the kick of the first runs.
  const first = shell(site, path);
  await expect.poll(() => site.journal('web1.example.com')).toEqual(['begin']);
  let over = 0;
  const others = Array.from({ length: 4 }, () => shell(site, path).finally(() => (over += 1)));
  // One of them waits and covers the others.
  await expect.poll(() => over).toBe(3);
  const lastDeploy = Date.now();
  site.release();
  const ends = await Promise.all([first, ...others]);
  for (const { code, err } of ends) expect(code, err).toBe(0);
  const jobs = JSON.parse((await site.kick('jobs', '--format', 'json')).out) as { startedAt: string }[];
  expect(jobs).toHaveLength(2);
  expect(Date.parse(jobs.at(-1)?.startedAt ?? '')).toBeGreaterThanOrEqual(lastDeploy);
  expect(site.journal('web1.example.com')).toEqual(['begin', 'begin']);
});

const kickProcess = (site: Site, ...words: string[]) => ended(site.start(...words));

test("jobs and outcomes are lines of the system's log, with their priority", async () => {
  const site = await realSite(2, (_name, index) => `exit ${index === 0 ? 2 : 1}`);
  const { folder, controllerYaml } = site;
  const log = join(folder, 'log');
  controllerYaml({ syslog: ['/bin/sh', '-c', `cat >>'${log}'`] });
  expect((await kickProcess(site, 'web[1-2]', '--quiet')).code).toBe(1);
  // A program that takes them has three seconds to end, and is not waited for any longer.
  const noted = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  await expect.poll(() => noted().length).toBe(4);
  const lines = noted();
  const told = lines.map(
    (line) => [line.slice(0, 3), JSON.parse(line.slice(3)) as Record<string, unknown>] as const,
  );
  expect(told.map(([priority, { msg }]) => `${priority} ${msg}`).sort()).toEqual([
    ...['<4> web2.example.com: failed', '<6> job done', '<6> job started', '<6> web1.example.com: changed'],
  ]);
  // A program that is not there costs its lines, nothing else.
  controllerYaml({ syslog: ['/nonexistent/logger'] });
  expect(await kickProcess(site, 'web1', '--quiet')).toEqual({ out: '', err: '', code: 0 });
});

test('logger(1) takes such lines, and hands them on with their priority', async () => {
  const packets: string[] = [];
  const server = createSocket('udp4', (packet) => packets.push(packet.toString('utf8')));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const site = await realSite(1, () => 'exit 1');
  const to = ['--server', '127.0.0.1', '--port', String(server.address().port), '--udp'];
  site.controllerYaml({ syslog: ['/usr/bin/logger', '--tag', 'kick', '--prio-prefix', ...to] });
  expect((await kickProcess(site, 'web1', '--quiet')).code).toBe(1);
  await expect.poll(() => packets.length).toBe(3);
  // RFC 5424 6.2.1: facility user is 1, severity warning 4: 8 + 4.
  const warning = packets.find((packet) => packet.includes('web1.example.com: failed'));
  expect(warning).toMatch(/^<12>1 .* kick .*"outcome":"failed"/);
});
