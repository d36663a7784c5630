/** Real Puppet's runs in the lab: held, begun by hand, and what they have done. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { identify, type ProcessId } from '../../src/util/proc.ts';
import type { Lab } from '../lab/lab.ts';

/** Nothing of the tests' own environment reaches the programs. */
export const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** From now on runs of this agent stop in their catalog. */
export async function hold(lab: Lab, agent: string): Promise<void> {
  for (const name of ['go', 'held']) rmSync(join(lab.dirOf(agent), name), { force: true });
  await lab.set(agent, 'hold', true);
}

/** Lets the run go on that is held, and stops no more of them. */
export async function letGo(lab: Lab, agent: string): Promise<void> {
  await lab.unset(agent, 'hold');
  writeFileSync(join(lab.dirOf(agent), 'go'), '');
}

/** The Puppet run that is held in its catalog. */
export function heldRunOf(lab: Lab, agent: string): ProcessId | undefined {
  const path = join(lab.dirOf(agent), 'held');
  return existsSync(path) ? identify(Number(readFileSync(path, 'utf8'))) : undefined;
}

/** What the lab's class has written on the agent; undefined before its first run. */
export function messageOn(lab: Lab, agent: string): string | undefined {
  const path = join(lab.dirOf(agent), 'managed', 'message');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd() : undefined;
}

/** How often this agent has asked the server for a catalog: once a run. */
export function catalogsOf(lab: Lab, agent: string): number {
  const log = readFileSync(join(lab.dir, 'server', 'log', 'access.log'), 'utf8');
  return log.split(`/puppet/v3/catalog/${lab.certnameOf(agent)}?`).length - 1;
}

/** The Puppet that holds the agent's run lock. */
export function puppetRunOf(lab: Lab, agent: string): ProcessId | undefined {
  const path = join(lab.dirOf(agent), 'var', 'state', 'agent_catalog_run.lock');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  return pid > 0 ? identify(pid) : undefined;
}

/** `puppet agent --onetime` for an agent, not by kick. `detached` as cron's: nobody's child. */
export function puppetByHand(lab: Lab, agent: string, { detached = false } = {}): ChildProcess {
  const args = detached
    ? [
        'agent',
        '--onetime',
        '--no-daemonize',
        '--no-splay',
        '--logdest',
        join(lab.dirOf(agent), 'log', 'cron.log'),
      ]
    : ['agent', '--test', '--color=false'];
  const child = spawn(lab.puppetOf(agent), args, { env: ENVIRONMENT, detached, stdio: 'ignore' });
  if (detached) child.unref();
  return child;
}

/** Runs `puppet agent ARGS` for an agent and waits for its end. */
export async function puppetAgent(lab: Lab, agent: string, ...args: string[]): Promise<void> {
  const child = spawn(lab.puppetOf(agent), ['agent', ...args], { env: ENVIRONMENT, stdio: 'ignore' });
  await once(child, 'exit');
}

/** Adds lines to section [agent] of an agent's puppet.conf until the test is over. */
export function puppetConf(lab: Lab, agent: string, ...lines: string[]): void {
  const path = join(lab.dirOf(agent), 'conf', 'puppet.conf');
  const before = readFileSync(path, 'utf8');
  const names = lines.map((line) => line.split('=')[0]?.trim());
  const kept = before.split('\n').filter((line) => !names.includes(line.split('=')[0]?.trim()));
  writeFileSync(path, `${kept.join('\n').trimEnd()}\n${lines.join('\n')}\n`); // [agent] is its last section
  onTestFinished(() => writeFileSync(path, before));
}

let count = 0;

/** A message that this agent does not have yet: its next run changes one file. */
export async function newMessage(lab: Lab, agent: string): Promise<string> {
  const message = `${agent}-${process.pid}-${++count}`;
  await lab.set(agent, 'message', message);
  return message;
}

/** Undoes what a test has set, but for the message, so that a run of it would change nothing. */
export async function calm(lab: Lab, agent: string): Promise<void> {
  const message = messageOn(lab, agent);
  await lab.unset(agent);
  writeFileSync(join(lab.dirOf(agent), 'go'), ''); // what a test that failed has left
  if (message !== undefined) await lab.set(agent, 'message', message);
}
