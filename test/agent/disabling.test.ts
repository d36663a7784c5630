/** Puppet switched off and on by kick: its own lock file, who may lift it and when, and cancelling a run. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import { removeDisabled } from '../../src/agent/puppet/disabled-lock.ts';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import type { Action } from '../../src/protocol/request.ts';
import type { CommandReply } from '../../src/protocol/status.ts';
import { tempFolder } from '../support/temp.ts';
import {
  ca,
  clockFromNow,
  fixture,
  kick,
  peerOf,
  refusalOf,
  requestOf,
  sealed,
  startAgent,
} from './harness.ts';

const root = { user: 'root', uid: 0, host: 'puppet' };
const other = { user: 'ann', uid: 1000, host: 'puppet' };

async function place(name = 'changes', ...args: string[]) {
  const folder = tempFolder();
  const lock = join(folder, 'agent_disabled.lock');
  const runner = commandRunner({ argv: [fixture(name), ...args], runEnvironment: {}, disabledLock: lock });
  return { folder, lock, agent: await startAgent(folder, { runner }), runner };
}

async function ask(agent: Agent, action: Action, by = root): Promise<CommandReply> {
  return agent.command(await sealed(requestOf({ action, by })), peerOf());
}

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

test('disable writes Puppet\'s own lock with reason, owner and end; a kick is then "disabled" and says so', async () => {
  const { lock, agent } = await place();
  const until = inAnHour();
  expect(await ask(agent, { op: 'disable', reason: 'new disk', until })).toMatchObject({ result: 'done' });
  expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({
    disabled_message: 'new disk',
    kick: { by: 'root@puppet', until: until * 1000 },
  });
  const { disabled } = await agent.status(peerOf());
  expect(disabled).toMatchObject({ reason: 'new disk', by: 'root@puppet', until: until * 1000 });
  expect(await (await kick(agent)).finished).toMatchObject({
    outcome: 'disabled',
    message: expect.stringMatching(/^new disk \(by root@puppet, until \d{4}-\d\d-\d\d \d\d:\d\d UTC\)$/),
  });
});

test('disabling what is disabled keeps the first reason and says so, by kick and by hand', async () => {
  const { lock, agent } = await place();
  await ask(agent, { op: 'disable', reason: 'first' });
  const second = await ask(agent, { op: 'disable', reason: 'second' }, other);
  expect(second).toEqual({ result: 'already', message: 'it was disabled already: first (by root@puppet)' });
  writeFileSync(lock, '{"disabled_message":"by hand"}');
  expect(await ask(agent, { op: 'disable', reason: 'third' })).toMatchObject({
    result: 'already',
    message: 'it was disabled already: by hand',
  });
  expect((await agent.status(peerOf())).disabled).toEqual({ reason: 'by hand' });
});

test('a lock that cannot be read: kicks fail, status tells why, and so do disable and enable', async () => {
  const { lock, agent } = await place();
  mkdirSync(lock);
  const message = `read Puppet's lock "${lock}": it is a directory`;
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'failed', message });
  expect(await agent.status(peerOf())).toMatchObject({ obstacle: message });
  for (const action of [
    { op: 'disable', reason: 'x' },
    { op: 'enable' },
    { op: 'enable', force: true },
  ] as const)
    expect(await ask(agent, action)).toEqual({ result: 'nothing', message });
  rmSync(lock, { recursive: true });
  symlinkSync('/nonexistent/lock', lock);
  expect((await ask(agent, { op: 'disable', reason: 'x' })).message).toMatch(
    /a symbolic link that leads nowhere/,
  );
  expect(await ask(agent, { op: 'enable' })).toMatchObject({ result: 'already' });
  expect((await (await kick(agent)).finished).outcome).toBe('changed');
});

test('a lock that cannot be made or removed: disable and enable say why', async () => {
  const folder = tempFolder();
  const state = join(folder, 'elsewhere');
  const lock = join(state, 'agent_disabled.lock');
  const runner = commandRunner({ argv: [fixture('changes')], runEnvironment: {}, disabledLock: lock });
  const agent = await startAgent(folder, { runner });
  expect(await ask(agent, { op: 'disable', reason: 'x' })).toEqual({
    result: 'nothing',
    message: `make Puppet's lock "${lock}": no such file or directory (ENOENT)`,
  });
  expect(await ask(agent, { op: 'enable' })).toMatchObject({ result: 'already' });
  mkdirSync(lock, { recursive: true });
  await expect(removeDisabled(lock)).rejects.toMatchObject({
    code: 'puppet',
    message: expect.stringMatching(/^remove Puppet's lock ".*": .*\((?:EISDIR|EPERM)\)$/),
  });
});

test.each<[string, string, object]>([
  [
    'a time that no calendar has',
    '{"disabled_message":"x","kick":{"by":"a@b","until":99999999999999999}}',
    { reason: 'x', by: 'a@b' },
  ],
  ['a part of ours that is broken', '{"disabled_message":"x","kick":5}', { reason: 'x' }],
  ['a reason that is no text', '{"disabled_message":{"a":1}}', { reason: '{"a":1}' }],
])('%s in the lock: it disables all the same, and everybody can say why', async (_, text, disabled) => {
  const { lock, agent } = await place();
  writeFileSync(lock, text);
  expect((await agent.status(peerOf())).disabled).toEqual(disabled);
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'disabled' });
  expect(await ask(agent, { op: 'enable', force: true })).toMatchObject({ result: 'done' });
});

test.each([
  ['another end', (text: string, until: number) => text.replace(String(until * 1000), String(until * 10))],
  ['another owner', (text: string) => text.replace('root@puppet', 'ann@puppet')],
  ['another word of the reason', (text: string) => text.replace('new', 'old')],
])('%s in a damaged lock: nobody enables but by force, and it says so', async (_, damaged) => {
  const { lock, agent } = await place();
  const until = inAnHour();
  await ask(agent, { op: 'disable', reason: 'new disk', until });
  writeFileSync(lock, damaged(readFileSync(lock, 'utf8'), until));
  const { disabled } = await agent.status(peerOf());
  expect(disabled).toEqual({ reason: expect.stringMatching(/^the lock is damaged: (new|old) disk$/) });
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'disabled' });
  for (const by of [root, other])
    expect(await ask(agent, { op: 'enable' }, by)).toMatchObject({ result: 'held' });
  expect(await ask(agent, { op: 'enable', force: true })).toMatchObject({ result: 'done' });
});

test('an end that no calendar has is no request', async () => {
  const { lock, agent } = await place();
  const refusal = await refusalOf(ask(agent, { op: 'disable', reason: 'x', until: 86_400_000_000_000 }));
  expect(refusal).toBe('malformed');
  expect(existsSync(lock)).toBe(false);
});

test('enable needs --force where somebody else has disabled it', async () => {
  const { lock, agent } = await place();
  await ask(agent, { op: 'disable', reason: 'mine' }, other);
  expect(await ask(agent, { op: 'enable' })).toEqual({
    result: 'held',
    message: 'ann@puppet has disabled it: mine',
  });
  expect(existsSync(lock)).toBe(true);
  expect(await ask(agent, { op: 'enable' }, other)).toMatchObject({ result: 'done' });
  expect(existsSync(lock)).toBe(false);
  writeFileSync(lock, '');
  expect(await ask(agent, { op: 'enable' })).toMatchObject({ result: 'held' });
  expect(await ask(agent, { op: 'enable', force: true })).toMatchObject({ result: 'done' });
  expect(await ask(agent, { op: 'enable' })).toMatchObject({ result: 'already' });
});

test('the same signed command twice is done once: a late copy does not disable again', async () => {
  const { lock, agent } = await place();
  const body = await sealed(requestOf({ action: { op: 'disable', reason: 'once' }, by: root }));
  expect(await agent.command(body, peerOf())).toMatchObject({ result: 'done' });
  await ask(agent, { op: 'enable' });
  expect(await agent.command(body, peerOf())).toMatchObject({ result: 'done' });
  expect(existsSync(lock)).toBe(false);
});

test('an end in the past is no reason to disable; an empty reason is malformed', async () => {
  const { lock, agent } = await place();
  expect(await ask(agent, { op: 'disable', reason: 'x', until: 1 })).toMatchObject({ result: 'nothing' });
  expect(existsSync(lock)).toBe(false);
  expect(await refusalOf(ask(agent, { op: 'disable', reason: '  ' }))).toBe('malformed');
});

test('a policy without the op refuses it', async () => {
  const { agent } = await place();
  agent.setPolicy({ trustPpCliAuth: false, controllers: [{ name: 'puppet.example.com', ops: ['run'] }] });
  expect(await refusalOf(ask(agent, { op: 'disable', reason: 'x' }))).toBe('policy');
  expect(await refusalOf(ask(agent, { op: 'cancel' }))).toBe('policy');
});

test('when the end has come the agent enables and says so in its log', async () => {
  const { folder, lock, runner } = await place();
  const clock = clockFromNow();
  const told: string[] = [];
  const say = (_fields: object, message?: string) => void told.push(message ?? '');
  const log = { debug: say, info: say, warn: say, error: say };
  const agent = await startAgent(join(folder, 'second'), { runner, clock, log, lookEveryMs: 20 });
  await ask(agent, { op: 'disable', reason: 'for an hour', until: inAnHour() });
  const before = clock.asked();
  await expect.poll(clock.asked).toBeGreaterThan(before + 5); // it has looked, and it was not time
  expect(existsSync(lock)).toBe(true);
  clock.forward(3_700_000);
  await expect.poll(() => existsSync(lock)).toBe(false);
  await expect.poll(() => told).toContain('enabled: the time for which it was disabled is over');
  expect((await agent.status(peerOf())).disabled).toBeUndefined();
});

test('cancel without a job ends the run in progress, whoever asked for it', async () => {
  const folder = tempFolder();
  const { agent } = await place('until-file', join(folder, 'journal'), join(folder, 'release'));
  expect(await ask(agent, { op: 'cancel' })).toEqual({ result: 'already', message: 'no run is in progress' });
  const run = await kick(agent);
  await run.until('started');
  expect(await ask(agent, { op: 'cancel' }, other)).toMatchObject({ result: 'done' });
  expect((await run.finished).outcome).toBe('cancelled');
});

test('a run that tells nothing for too long is called stuck, and one that has just begun is not', async () => {
  const folder = tempFolder();
  const runner = commandRunner({
    argv: [fixture('until-file'), join(folder, 'journal'), join(folder, 'release')],
    runEnvironment: {},
  });
  const clock = clockFromNow();
  const agent = await startAgent(folder, { runner, clock, stuckAfterMs: 900_000 });
  const run = await kick(agent);
  await run.until('started');
  expect((await agent.status(peerOf())).running?.stuck).toBeUndefined();
  clock.forward(1_000_000);
  expect((await agent.status(peerOf())).running?.stuck).toMatch(/^it has printed nothing for /);
  writeFileSync(join(folder, 'release'), '');
  await run.finished;
});

test('a command is known by its issuer and jti: sent again it is answered again, with another action it is refused', async () => {
  const { agent } = await place();
  const request = requestOf({ action: { op: 'disable', reason: 'new disk' }, by: root });
  const send = async (changed: typeof request) => agent.command(await sealed(changed), peerOf());
  const first = await send(request);
  expect(first.result).toBe('done');
  expect(await send(request)).toEqual(first);
  expect(await refusalOf(send({ ...request, action: { op: 'enable' } }))).toBe('job-conflict');
});

test("another controller's command with the same jti is a command of its own", async () => {
  const { agent } = await place();
  const second = await ca.identity('puppet2.example.com', { role: 'controller' });
  const request = requestOf({ action: { op: 'disable', reason: 'new disk' }, by: root });
  await agent.command(await sealed(request), peerOf());
  const theirs = { ...request, iss: 'puppet2.example.com', action: { op: 'enable', force: true } as const };
  const reply = await agent.command(await sealed(theirs, second), peerOf(second));
  expect(reply.result).toBe('done');
});
