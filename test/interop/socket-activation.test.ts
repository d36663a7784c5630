/** DESIGN 6, "Socket activation": the agent starts with a connection, ends when nothing needs it, and loses nobody. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { freePort } from '../../tools/loopback.ts';
import { PROGRAM, ROOT } from '../../tools/program.ts';
import { type LogLine, startHeldAgent } from '../../tools/socket-holder.ts';
import { unitCommand } from '../../tools/unit-command.ts';
import { afterwards } from '../support/afterwards.ts';
import {
  agentSite,
  anySignal,
  NAME,
  outcomeIn,
  readUntil,
  requestFor,
  startRealAgent,
} from '../support/real-agent.ts';
import { separatedAgent } from '../support/separated-agent.ts';
import { tempFolder } from '../support/temp.ts';

const IDLE = 'nothing needs this agent: it ends until the next connection';

/** A port that is held for an agent whose runs are this script; `$FOLDER` is a folder of its own. */
async function heldPlace({ script = 'exit 0', idle = '1s' as string | false } = {}) {
  const folder = tempFolder();
  const program = join(folder, 'program');
  writeFileSync(program, `#!/bin/sh\nFOLDER='${folder}'\n${script}\n`, { mode: 0o755 });
  const site = agentSite(folder, { command: [program], idle_exit: idle });
  const controller = await site.ca.identity('puppet.example.com');
  const sender = httpsSender({ identity: controller });
  afterwards(() => sender.close());
  let onLine = (_line: LogLine) => {};
  const held = await startHeldAgent(unitCommand(site.command({ kick: [PROGRAM] })), {
    onSpawn: (child) => afterwards(() => child.kill('SIGTERM')),
    onLine: (line) => onLine(line),
  });
  const target = { certname: NAME, host: '127.0.0.1', port: held.port };
  return {
    ...{ folder, held, target, sender, controller },
    status: () => sender.status(target, { signal: anySignal() }),
    setOnLine(listener: typeof onLine) {
      onLine = listener;
    },
  };
}

test('a connection starts the agent, which ends when nothing needs it, with a status of its own, and is started again', async () => {
  const { held, status } = await heldPlace();
  expect(held.count('listening')).toBe(0);
  for (const times of [1, 2]) {
    expect(await status()).toMatchObject({ certname: NAME });
    await expect.poll(() => held.count('ended')).toBe(times);
  }
  expect(held.lines.find(({ msg }) => msg === 'listening')).toMatchObject({
    ...{ port: held.port, socket: 'systemd' },
  });
  expect(held.lines.filter(({ msg }) => msg === 'ended').map(({ status: code }) => code)).toEqual([100, 100]);
  expect(held.count(IDLE)).toBe(2);
});

test('whoever connects at the very moment of its end is answered', async () => {
  const { held, status, setOnLine } = await heldPlace();
  const answers: Promise<unknown>[] = [];
  setOnLine(({ msg }) => {
    if (msg === IDLE) for (let i = 0; i < 5; i++) answers.push(status());
  });
  await status();
  await expect.poll(() => held.count('ended')).toBeGreaterThanOrEqual(3);
  setOnLine(() => {});
  expect(answers.length).toBeGreaterThanOrEqual(15);
  expect(await Promise.all(answers)).toHaveLength(answers.length);
});

test('restarts refuse nobody, and a run goes on through them', async () => {
  const { folder, held, target, sender, controller, status } = await heldPlace({
    script: 'echo begin >>"$FOLDER/journal"; while [ ! -e "$FOLDER/go" ]; do sleep 0.02; done; exit 2',
    idle: false,
  });
  const { job, body } = await requestFor(controller);
  const stream = await sender.submit(target, body, { signal: anySignal() });
  await readUntil(stream, 'started');
  let isOver = false;
  let asked = 0;
  const asking = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      expect(await status()).toMatchObject({ certname: NAME });
      asked += 1;
    }
  });
  for (const times of [1, 2, 3]) {
    const before = asked;
    held.restart();
    await expect.poll(() => held.count('listening')).toBe(times + 1);
    await expect.poll(() => asked).toBeGreaterThan(before + 4);
  }
  isOver = true;
  await Promise.all(asking);
  writeFileSync(join(folder, 'go'), '');
  expect(await outcomeIn(sender, target, job)).toMatchObject({ outcome: 'changed' });
  expect(readFileSync(join(folder, 'journal'), 'utf8')).toBe('begin\n');
});

test('a run keeps the agent; one that outlives it is settled by the next, which sleeps again', async () => {
  const { folder, held, target, sender, controller } = await heldPlace({
    script: 'while [ ! -e "$FOLDER/go" ]; do sleep 0.02; done; exit 2',
  });
  const { job, body } = await requestFor(controller);
  const stream = await sender.submit(target, body, { signal: anySignal() });
  await readUntil(stream, 'started');
  const started = held.lines.find(({ msg }) => msg === 'started');
  process.kill(Number(started?.['pid']), 'SIGKILL');
  await expect.poll(() => held.count('ended')).toBe(1);
  writeFileSync(join(folder, 'go'), '');
  expect(await outcomeIn(sender, target, job)).toMatchObject({ outcome: 'changed' });
  await expect.poll(() => held.count(IDLE)).toBe(1);
});

test('strangers, silent ones and a scan that comes again and again, start it once in its idle time and do not keep it', async () => {
  const { held } = await heldPlace();
  const silent = connect(held.port, '127.0.0.1');
  silent.on('error', () => {});
  const scan = () => {
    for (let i = 0; i < 20; i++)
      connect(held.port, '127.0.0.1')
        .end()
        .on('error', () => {});
  };
  const timer = setInterval(scan, 300);
  afterwards(() => clearInterval(timer));
  await expect.poll(() => held.count(IDLE)).toBeGreaterThanOrEqual(2);
  silent.destroy();
  const turns = held.lines.map(({ msg }) => msg).filter((msg) => [IDLE, 'listening'].includes(msg));
  expect(turns.slice(0, 4)).toEqual(['listening', IDLE, 'listening', IDLE]);
});

test("systemd's own activation starts it, as its unit does", async () => {
  const site = agentSite(tempFolder(), { command: ['/bin/true'] });
  const port = await freePort();
  const activate = ['systemd-socket-activate', '--listen', `127.0.0.1:${port}`];
  const words = unitCommand(site.command({ kick: [PROGRAM] }));
  const starting = startRealAgent([...activate, ...words], { stderr: 'collect' });
  const sender = httpsSender({ identity: await site.ca.identity('puppet.example.com') });
  afterwards(() => sender.close());
  const target = { certname: NAME, host: '127.0.0.1', port };
  const ask = () => sender.status(target, { signal: anySignal() }).catch(() => undefined);
  await expect.poll(ask).toMatchObject({ certname: NAME });
  expect((await starting).port).toBe(port);
});

test('systemd accepts the units, and their port is the default of agent.yaml', () => {
  const folder = tempFolder();
  const units = join(ROOT, 'packaging', 'systemd');
  mkdirSync(join(folder, 'units'));
  for (const name of ['kick-agent.socket', 'kick-agent.service']) {
    const unit = readFileSync(join(units, name), 'utf8').replaceAll('/usr/bin/kick', PROGRAM);
    writeFileSync(join(folder, 'units', name), unit);
  }
  const paths = ['kick-agent.socket', 'kick-agent.service'].map((name) => join(folder, 'units', name));
  expect(paths.every(existsSync)).toBe(true);
  const verify = ['verify', '--man=no', ...paths];
  expect(execFileSync('systemd-analyze', verify, { encoding: 'utf8', stdio: 'pipe' })).toBe('');
  expect(readFileSync(join(units, 'kick-agent.socket'), 'utf8')).toMatch(/^ListenStream=8139$/m);
});

test('the listener of two processes sleeps as well, where its port is held', async () => {
  const agent = await separatedAgent(tempFolder(), { command: ['/bin/true'], idle_exit: '1s' }, [PROGRAM]);
  await agent.startHelper();
  const words = [...agent.command({ kick: [PROGRAM] }), '--pass-to', agent.socket];
  const held = await startHeldAgent(unitCommand(words, 'kick-listener'), {
    onSpawn: (child) => afterwards(() => child.kill('SIGTERM')),
  });
  const target = { certname: NAME, host: '127.0.0.1', port: held.port };
  for (const times of [1, 2]) {
    expect(await agent.sender.status(target, { signal: anySignal() })).toMatchObject({ certname: NAME });
    await expect.poll(() => held.count('ended')).toBe(times);
  }
  expect(held.lines.filter(({ msg }) => msg === 'ended').map(({ status: code }) => code)).toEqual([100, 100]);
});
