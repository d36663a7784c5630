/** A host in the middle of a run, to be rebooted or robbed of its folders. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import type { Runner } from '../../src/agent/runners/runner.ts';
import { silentLog } from '../../src/util/log.ts';
import { isAlive } from '../../src/util/proc.ts';
import { tempFolder } from '../support/temp.ts';
import { command, fixture, type Kicked, kick, startAgent } from './harness.ts';

export const RESTARTED = { outcome: 'interrupted', message: 'the host was restarted during the run' };

/** The folder of the only run in progress; empty when there is none. */
export function runDirOf({ runDir }: { runDir: string }): string {
  const live = join(runDir, 'runs');
  const [run] = readdirSync(live);
  return run === undefined ? '' : join(live, run);
}

/** Without an agent nobody moves the run's folder away. */
export async function wrapperEnded(folders: { runDir: string }): Promise<void> {
  const dir = runDirOf(folders);
  if (dir === '') return; // the agent saw its end
  const { wrapper } = JSON.parse(readFileSync(join(dir, 'record.json'), 'utf8'));
  await expect.poll(() => isAlive(wrapper)).toBe(false);
}

export function end(pid: number): void {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const wrapper = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  process.kill(wrapper, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
}

export const lastOf = ({ events }: Kicked) => events.at(-1)?.seq ?? 0;

export function host(runner: Runner) {
  const folder = tempFolder();
  const folders = { stateDir: join(folder, 'state'), runDir: join(folder, 'run') };
  return { folder, folders, start: () => startAgent(folder, { runner }) };
}

/** A host of which a reader has seen a whole log. */
export async function inARun(runner = command('until-file', join(tempFolder(), 'journal'), '/nonexistent')) {
  const { folders, start } = host(runner);
  const agent = await start();
  const run = await kick(agent);
  const { pid = 0 } = await run.until('started');
  await run.until('log');
  return { folders, start, agent, run, pid };
}

/** A Puppet that waits for the file `go`, and then does what `script` says. */
export function waitingPuppet(
  folder: string,
  script: string,
): { runner: Runner; go(): void; report: string } {
  const dir = join(folder, 'puppet');
  mkdirSync(dir);
  copyFileSync(fixture('fake-puppet'), join(dir, 'real'));
  const program = `#!/bin/sh\nif [ "$1" = agent ]; then echo begun; while [ -d '${dir}' ] && [ ! -e '${dir}/go' ]; do sleep 0.02; done; fi\nexec '${dir}/real' "$@"\n`;
  writeFileSync(join(dir, 'puppet'), program);
  for (const name of ['puppet', 'real']) chmodSync(join(dir, name), 0o755);
  writeFileSync(join(dir, 'script'), script);
  writeFileSync(join(dir, 'puppet.conf'), '');
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [], log: silentLog },
  });
  return { runner, go: () => writeFileSync(join(dir, 'go'), ''), report: join(dir, 'last_run_report.yaml') };
}
