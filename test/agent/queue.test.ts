/** Requests in the queue: who shares a run, who waits, who is refused, and what each of them is told. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import type { CommandReply } from '../../src/protocol/status.ts';
import { tempFolder } from '../support/temp.ts';
import { command, kick, peerOf, refusalOf, requestOf, resume, sealed, startAgent } from './harness.ts';

test.each([
  ['ok', 'unchanged', 0],
  ['changes', 'changed', 2],
  ['fails', 'failed', 1],
] as const)('a run of "%s" ends as %s', async (name, outcome, exit) => {
  const agent = await startAgent(tempFolder(), { runner: command(name) });
  const finished = await (await kick(agent)).finished;
  expect(finished).toMatchObject({ outcome, exit });
  expect(finished.startedAt).toBeLessThanOrEqual(finished.endedAt);
});

test('events are numbered from 1 without gaps, from accepted to finished', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('fails') });
  const { finished, events } = await kick(agent);
  expect(await finished).toMatchObject({ error: { message: 'Error: it does not work' } });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events[0]?.type).toBe('accepted');
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['started', 'log', 'finished']));
});

test('requests with equal options share the next run, others follow in order, none joins a run that began', async () => {
  const folder = tempFolder();
  const [journal, release] = [join(folder, 'journal'), join(folder, 'release')];
  const agent = await startAgent(folder, { runner: command('until-file', journal, release) });
  const first = await kick(agent);
  await first.until('started');
  const second = await kick(agent);
  const third = await kick(agent);
  const other = await kick(agent, requestOf({ action: { op: 'run', runTimeout: 999 } }));
  const fourth = await kick(agent);
  expect(await second.until('waiting')).toMatchObject({
    holder: { by: 'deploy@puppet', job: first.job, what: expect.stringContaining('by kick') },
  });
  await fourth.until('waiting');
  writeFileSync(release, '');
  const ends = await Promise.all([first, second, third, fourth, other].map(({ finished }) => finished));
  const [a, b, c, d, e] = ends.map(({ run }) => run);
  expect(b).not.toBe(a);
  expect([c, d]).toEqual([b, b]);
  expect([a, b]).not.toContain(e);
  expect(ends.every(({ outcome }) => outcome === 'changed')).toBe(true);
  const lines = readFileSync(journal, 'utf8').trim().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['begin', 'end', 'begin', 'end', 'begin', 'end']);
  expect(await second.until('started')).toMatchObject({ serves: 3 });
});

test('skip is busy at once and names the holder; wait is busy when its time is over', async () => {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const agent = await startAgent(folder, { runner: command('until-file', join(folder, 'journal'), release) });
  const first = await kick(agent);
  const { pid } = await first.until('started');
  const skipping = await kick(agent, requestOf({ queue: { ifRunning: 'skip' } }));
  expect(await skipping.finished).toMatchObject({ outcome: 'busy', holder: { pid, job: first.job } });
  const impatient = await kick(agent, requestOf({ queue: { wait: 0 } }));
  expect(await impatient.finished).toMatchObject({ outcome: 'busy' });
  writeFileSync(release, '');
  expect((await first.finished).outcome).toBe('changed');
});

test('the queue is bounded', async () => {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const runner = command('until-file', join(folder, 'journal'), release);
  const agent = await startAgent(folder, { runner, queueSize: 2 });
  const first = await kick(agent);
  await first.until('started');
  const waiting = [await kick(agent), await kick(agent)];
  expect(await refusalOf(kick(agent))).toBe('queue-full');
  writeFileSync(release, '');
  for (const one of waiting) expect((await one.finished).outcome).toBe('changed');
});

test('the same key again is answered with what became of it, whatever the time', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('changes') });
  const request = requestOf();
  const first = await kick(agent, request);
  const { run } = await first.finished;
  const later = { ...request, iat: request.iat - 5000, exp: request.iat - 4900 };
  expect((await (await kick(agent, later)).finished).run).toBe(run);
  expect((await (await resume(agent, request.job)).finished).run).toBe(run);
  expect(await refusalOf(kick(agent, { ...request, action: { op: 'run', runTimeout: 5 } }))).toBe(
    'job-conflict',
  );
  const again = await kick(agent, { ...request, attempt: 2 });
  expect((await again.finished).run).not.toBe(run);
});

test('a stream is resumed after any number without a gap or a repetition', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('fails') });
  const whole = await kick(agent);
  await whole.finished;
  for (const after of whole.events.keys()) {
    const rest = await resume(agent, whole.job, after);
    await rest.finished;
    expect(rest.events).toEqual(whole.events.slice(after));
  }
});

test('a controller that goes away in mid-stream ends nothing', async () => {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const agent = await startAgent(folder, { runner: command('until-file', join(folder, 'journal'), release) });
  const first = await kick(agent);
  await first.until('started');
  first.leave();
  await expect(first.finished).rejects.toThrow('the stream ended');
  const back = await resume(agent, first.job);
  writeFileSync(release, '');
  expect((await back.finished).outcome).toBe('changed');
});

async function cancel(agent: Agent, job: string): Promise<CommandReply> {
  return agent.command(await sealed(requestOf({ action: { op: 'cancel', job } })), peerOf());
}

test('cancel takes a waiting request off the queue, and ends a run that serves nobody else', async () => {
  const folder = tempFolder();
  const agent = await startAgent(folder, { runner: command('hangs', join(folder, 'pid')) });
  const first = await kick(agent);
  await first.until('started');
  const second = await kick(agent);
  await second.until('waiting');
  expect((await cancel(agent, second.job)).message).toBe('taken off the queue');
  expect((await second.finished).outcome).toBe('cancelled');
  await cancel(agent, first.job);
  expect(await first.finished).toMatchObject({ outcome: 'cancelled', exit: 143 });
  expect((await cancel(agent, first.job)).message).toBe('it was over already');
});

test('cancel of one of two leaves the run to the other', async () => {
  const folder = tempFolder();
  const release = join(folder, 'release');
  const agent = await startAgent(folder, {
    runner: command('until-taken', join(folder, 'journal'), release),
  });
  const first = await kick(agent);
  await first.until('started');
  const [a, b] = [await kick(agent), await kick(agent)];
  await b.until('waiting');
  writeFileSync(release, '');
  await first.finished;
  const { run } = await b.until('started');
  await cancel(agent, a.job);
  expect(await a.finished).toMatchObject({ outcome: 'cancelled', run });
  writeFileSync(release, '');
  expect(await b.finished).toMatchObject({ outcome: 'changed', run });
});
