/** The folders of an agent that was stopped, with as many requests of each kind as a test wants to damage. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import { REQUEST_RECORD, requestName } from '../../src/agent/requests/request-record.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import { sleep } from '../../src/util/clock.ts';
import { type Log, silentLog } from '../../src/util/log.ts';
import { isAlive } from '../../src/util/proc.ts';
import { storedText } from '../../src/util/stored-json.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { openAgentIn } from '../../tools/open-agent-in.ts';
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

/**
 * `settled`: its run is over; `cancelled`: it was over before it had a run; `waiting`; `ended`: its run ended while no agent
 * was there.
 */
export type Kind = 'settled' | 'cancelled' | 'waiting' | 'ended';

export interface Model {
  folder: string;
  jobs: Record<Kind, string>;
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

export interface Copy {
  job: string;
  /** The folder of the request. */
  request: string;
  /** Of its run; empty if it has none. */
  run: string;
  runId: string;
}

/** Copies a request of the model, with its run, under a key of its own. */
export function copyRequest({ folder, jobs }: Model, kind: Kind, into: string): Copy {
  const [name = ''] = readdirSync(join(folder, 'state', 'requests')).filter((one) =>
    one.startsWith(jobs[kind]),
  );
  const from = join(folder, 'state', 'requests', name);
  const job = uuidv7(Date.now());
  const files = Object.fromEntries(
    readdirSync(from).map((one) => [one, readFileSync(join(from, one), 'utf8')]),
  );
  const { sum: _sum, ...record } = JSON.parse(files['request.json'] ?? '');
  const request = { ...record.request, job };
  const key = requestName(request);
  files['request.json'] = storedText({ ...record, name: key, request }, REQUEST_RECORD);
  const { run = '' } = JSON.parse(files['run.json'] ?? '{}');
  const runId = run === '' ? '' : uuidv7(Date.now());
  const renamed = (text: string) => (run === '' ? text : rename(text, run, runId));
  const target = join(into, 'state', 'requests', key);
  write(target, files, renamed);
  if (run === '') return { job, request: target, run: '', runId };
  const runs = kind === 'ended' ? 'run/runs' : 'state/runs';
  const runFrom = join(folder, runs, run);
  const runFiles = readdirSync(runFrom).map(
    (one) => [one, readFileSync(join(runFrom, one), 'utf8')] as const,
  );
  write(join(into, runs, runId), Object.fromEntries(runFiles), renamed);
  return { job, request: target, run: join(into, runs, runId), runId };
}

/** A stored file gets the checksum of its new text. */
function rename(text: string, from: string, to: string): string {
  const changed = text.replaceAll(from, to);
  if (changed === text || !changed.includes('"sum":')) return changed;
  const { sum: _sum, v: version, ...value } = JSON.parse(changed);
  return storedText(value, { version });
}

function write(folder: string, files: Record<string, string>, change: (text: string) => string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), name === 'request.json' ? text : change(text), { mode: 0o600 });
  }
}

/** A place without requests, whose state directory is as old as the model's. */
export function emptyPlace({ folder }: Model): string {
  const into = elsewhere();
  for (const path of ['state/requests', 'state/runs', 'run/runs'])
    mkdirSync(join(into, path), { recursive: true, mode: 0o700 });
  cpSync(join(folder, 'state', 'store.json'), join(into, 'state', 'store.json'));
  return into;
}
