/** What Puppet takes for a run of its own, and what people are told of a process that kick did not begin. */
import { readFileSync } from 'node:fs';
import type { Holder } from '../../protocol/event.ts';
import { argumentsOf, beganAt, commOf, isZombie, type ProcessId, userOf } from '../../util/proc.ts';
import { clip } from '../../util/text.ts';

/**
 * lib/puppet/util/pidlock.rb, clear_if_stale: `procname =~ /ruby/ && args =~ /puppet/ || procname =~ /puppet(-.*)?$/`,
 * where `ps` names them. It is not anchored in front (`xpuppet` counts), and a zombie counts, too.
 */
export function isPuppet(pid: number): boolean {
  const comm = psComm(pid);
  if (/puppet(-.*)?$/.test(comm)) return true;
  return comm.includes('ruby') && commandLine(pid).includes('puppet');
}

/** ps(1) writes a mark in place of what is not to be printed. */
function psComm(pid: number): string {
  return commOf(pid)
    .replace(/\p{Cc}/gu, '?')
    .trim();
}

/** What it is called to people. */
export function commWords(pid: number): string {
  return psComm(pid) || 'a process';
}

/** As `ps -o args` has it. */
function commandLine(pid: number): string {
  const words = argumentsOf(pid).join(' ');
  if (words !== '') return words;
  return `[${psComm(pid)}]${isZombie(pid) ? ' <defunct>' : ''}`;
}

/** Whether its command line is that of an agent: `puppet agent -t`, `puppet agent: applying configuration`. */
export function isPuppetAgent(pid: number): boolean {
  return /\bpuppet\s+agent\b/.test(commandLine(pid));
}

/** For whoever has to find out on that host whose it is. */
export function describeProcess({ pid, start }: ProcessId): Pick<Holder, 'command' | 'user' | 'began'> {
  const command = clip(commandLine(pid), 200);
  const uid = userOf(pid);
  const began = beganAt(start);
  return {
    command,
    ...(uid !== undefined && { user: clip(nameOf(uid), 64) }),
    ...(began !== undefined && { began }),
  };
}

/** From /etc/passwd; `uid 1001` for users of a directory. */
function nameOf(uid: number): string {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    const line = lines.find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? `uid ${uid}`;
  } catch {
    return `uid ${uid}`;
  }
}
