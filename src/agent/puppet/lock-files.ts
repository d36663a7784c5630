/** Puppet's own lock files (facts/puppet.md, Files): watched, never removed. */
import { readFile, stat } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import { argumentsOf, commOf, identify } from '../../util/proc.ts';

/** An empty lock file is being written at this moment, unless it is older than this (DESIGN 4). */
const BEING_WRITTEN_MS = 5000;

/**
 * Who holds agent_catalog_run.lock, by Puppet's own rule of staleness
 * (lib/puppet/util/pidlock.rb); undefined when nobody does. `now` is milliseconds since 1970.
 */
export async function catalogRunHolder(path: string, now: number): Promise<Holder | undefined> {
  let text: string;
  let since: number;
  try {
    text = (await readFile(path, 'latin1')).trim();
    since = Math.round((await stat(path)).mtimeMs);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (text === '') {
    return Math.abs(now - since) < BEING_WRITTEN_MS ? { what: 'a Puppet run that begins', since } : undefined;
  }
  const pid = Number(text);
  if (!/^\d{1,10}$/.test(text) || identify(pid) === undefined || !isPuppet(pid)) return undefined;
  return { pid, what: 'puppet agent, not by kick', since };
}

function isPuppet(pid: number): boolean {
  const comm = commOf(pid);
  if (/^puppet(-.*)?$/.test(comm)) return true;
  return comm.startsWith('ruby') && argumentsOf(pid).some((argument) => argument.includes('puppet'));
}
