/** An agent with a stand-in for Puppet that misbehaves on demand. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { puppetAgentRunner } from '../../src/agent/runners/puppet-runners.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';
import { fixture, kick, requestOf, startAgent } from './harness.ts';

export const TIME = '2026-11-23T14:33:18+00:00';

export interface Host {
  runTimeoutMs?: number;
  /** Of PUPPET_EXTRA_OPTS; DIR is the folder of all. */
  extraOptions?: string;
  /** Appended to what Puppet tells of its settings. */
  settings?: string;
  clock?: Clock;
}

/** An agent whose Puppet does in turn what the lines say. */
export async function host(
  script: string,
  { runTimeoutMs, extraOptions = '', settings = '', clock = systemClock }: Host = {},
) {
  const folder = tempFolder();
  const dir = join(folder, 'puppet');
  mkdirSync(dir);
  copyFileSync(fixture('fake-puppet'), join(dir, 'puppet'));
  chmodSync(join(dir, 'puppet'), 0o755);
  writeFileSync(join(dir, 'script'), script);
  writeFileSync(join(dir, 'puppet.conf'), '');
  writeFileSync(join(dir, 'settings'), settings);
  writeFileSync(join(dir, 'default'), `PUPPET_EXTRA_OPTS='${extraOptions.replaceAll('DIR', folder)}'\n`);
  const runner = puppetAgentRunner({
    ...{ puppet: join(dir, 'puppet'), path: '', stateDir: join(folder, 'state') },
    ...{ runEnvironment: {}, environmentFiles: [join(dir, 'default')], log: silentLog, runTimeoutMs },
  });
  const agent = await startAgent(folder, { runner, clock });
  return {
    dir,
    folder,
    agent,
    runner,
    finished: async (request = requestOf()) => (await kick(agent, request)).finished,
  };
}

export const ran = (dir: string) => readFileSync(join(dir, 'ran'), 'utf8').trim().split('\n');
