/** Which processes Puppet considers its own runs, and descriptions of processes that kick did not start. */
import type { Holder } from '../../protocol/event.ts';
import { userName } from '../../util/accounts.ts';
import { argumentsOf, beganAt, commOf, isZombie, type ProcessId, userOf } from '../../util/proc.ts';
import { clip } from '../../util/text.ts';

/**
 * lib/puppet/util/pidlock.rb, clear_if_stale: `procname =~ /ruby/ && args =~ /puppet/ || procname =~ /puppet(-.*)?$/`,
 * with the names that `ps` prints. It is not anchored at the start (`xpuppet` counts), and zombies count as well.
 */
export function isPuppet(pid: number): boolean {
  const comm = psComm(pid);
  if (/puppet(-.*)?$/.test(comm)) return true;
  return comm.includes('ruby') && commandLine(pid).includes('puppet');
}

/** ps(1) replaces unprintable characters. */
function psComm(pid: number): string {
  return commOf(pid)
    .replace(/\p{Cc}/gu, '?')
    .trim();
}

/** A process's name for people. */
export function commWords(pid: number): string {
  return psComm(pid) || 'a process';
}

/** As printed by `ps -o args`. */
function commandLine(pid: number): string {
  const words = argumentsOf(pid).join(' ');
  if (words !== '') return words;
  return `[${psComm(pid)}]${isZombie(pid) ? ' <defunct>' : ''}`;
}

/** Whether its command line is that of an agent: `puppet agent -t`, `puppet agent: applying configuration`. */
export function isPuppetAgent(pid: number): boolean {
  return /\bpuppet\s+agent\b/.test(commandLine(pid));
}

/** Details that help to find out on the host what the process is. */
export function describeProcess({ pid, start }: ProcessId): Pick<Holder, 'command' | 'user' | 'began'> {
  const command = clip(commandLine(pid), 200);
  const uid = userOf(pid);
  const began = beganAt(start);
  return {
    command,
    ...(uid !== undefined && { user: clip(userName(uid) ?? `uid ${uid}`, 64) }),
    ...(began !== undefined && { began }),
  };
}
