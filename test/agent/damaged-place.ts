/** The folders of an agent that was stopped, with as many requests of each kind as a test wants to damage. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import { sleep } from '../../src/util/clock.ts';
import { type Log, silentLog } from '../../src/util/log.ts';
import { isAlive } from '../../src/util/proc.ts';
import { openAgentIn } from '../../tools/open-agent-in.ts';
import type { Model } from '../../tools/stored-requests.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { AGENT, command, kick, peerOf, requestOf, sealed } from './harness.ts';

/** Where nothing waits for a disk, if there is such a place. */
export const IN_MEMORY = existsSync('/dev/shm') ? { parent: '/dev/shm' } : {};

/** A folder of the test's own with a short path, for what links lead to. */
export function elsewhere(): string {
  const folder = throwawayFolder({ ...IN_MEMORY, prefix: 'k-' });
  onTestFinished(folder.remove);
  return folder.path;
}

/** What the agent logs as a warning or an error. */
export function listening(): { log: Log; said: () => string } {
  const lines: string[] = [];
  const note = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`);
  return { log: { ...silentLog, warn: note, error: note }, said: () => lines.join('\n') };
}

/** A request that is kicked now is run. */
export async function serves(agent: Agent): Promise<void> {
  expect((await (await kick(agent)).finished).outcome).toBe('unchanged');
}

/** One request of each kind, made by a real agent in `folder`. */
export async function modelPlace(folder: string): Promise<Model> {
  const open = (runner: Runner) => openAgentIn(folder, { certname: AGENT, runner });
  const [journal, gate] = [join(folder, 'journal'), join(folder, 'gate')];
  const first = await open(command('changes'));
  const settled = await kick(first);
  await settled.finished;
  await first.stop();
  const second = await open(command('until-taken', journal, gate));
  const ended = await kick(second);
  await ended.until('started');
  const cancelled = await kick(second, requestOf({ action: { op: 'run', runTimeout: 999 } }));
  await cancelled.until('waiting');
  await second.command(await sealed(requestOf({ action: { op: 'cancel', job: cancelled.job } })), peerOf());
  await cancelled.finished;
  const waiting = await kick(second);
  await waiting.until('waiting');
  await second.stop();
  writeFileSync(gate, '');
  const [run = ''] = readdirSync(join(folder, 'run', 'runs'));
  const { wrapper } = JSON.parse(readFileSync(join(folder, 'run', 'runs', run, 'record.json'), 'utf8'));
  while (isAlive(wrapper)) await sleep(20);
  const jobs = { settled: settled.job, cancelled: cancelled.job, waiting: waiting.job, ended: ended.job };
  return { folder, jobs };
}

/** A place without requests, whose state directory is as old as the model's. */
export function emptyPlace({ folder }: Model): string {
  const into = elsewhere();
  for (const path of ['state/requests', 'state/runs', 'run/runs'])
    mkdirSync(join(into, path), { recursive: true, mode: 0o700 });
  cpSync(join(folder, 'state', 'store.json'), join(into, 'state', 'store.json'));
  return into;
}
