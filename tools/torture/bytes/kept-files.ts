/** Files that an agent and a controller keep beside their records. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createDisabling } from '../../../src/agent/disabling.ts';
import { createHostFacts } from '../../../src/agent/discovery/host-facts.ts';
import { readDisabled } from '../../../src/agent/puppet/disabled-lock.ts';
import { openJobStore } from '../../../src/controller/jobs/job-store.ts';
import type { Request } from '../../../src/protocol/request.ts';
import { puppetSettings } from '../../../src/puppet/settings.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { silentLog as log } from '../../../src/util/log.ts';
import { uuidv7 } from '../../../src/util/uuid.ts';
import { type Kept, orRefused } from './kept.ts';

const FACTS = { os: { family: 'Debian' }, processors: { count: 2 }, role: 'web' };

const facts: Kept = {
  async make(folder) {
    const asked = createHostFacts({ path: join(folder, 'facts.json'), ask: async () => FACTS, clock, log });
    await asked.facts();
    await asked.settled();
    return async (copy) => {
      const path = join(copy, 'facts.json');
      const found = await createHostFacts({ path, ask: () => new Promise(() => {}), clock, log }).facts();
      return 'why' in found || isDeepStrictEqual(found.facts, FACTS) ? undefined : JSON.stringify(found);
    };
  },
};

/** Of what it prints, `config` is all that is asked for. */
const puppetIn = (folder: string) => `#!/bin/sh
[ "$1" = config ] || { echo 7.23.0; exit; }
cat <<JSON
{"certname":"web1.example.com","config":"${folder}/puppet.conf","hostcert":"/c","hostprivkey":"/k","localcacert":"/ca","hostcrl":"/crl",
"agent_catalog_run_lockfile":"/run.lock","agent_disabled_lockfile":"/disabled.lock","lastrunreport":"/report.yaml","confdir":"/etc",
"classfile":"/classes.txt","client_datadir":"/data","signeddir":"/signed","logdest":null,"runtimeout":3600,"runinterval":1800,
"server":"puppet","server_list":"","serverport":8140}
JSON
`;

/** What Puppet has said of itself. `words`: of the service, whose answer is a file of its own. */
const settings = (words: readonly string[]): Kept => ({
  async make(folder) {
    const etc = join(folder, '..', 'etc');
    mkdirSync(etc);
    const puppet = join(etc, 'puppet');
    writeFileSync(puppet, puppetIn(etc), { mode: 0o755 });
    writeFileSync(join(etc, 'puppet.conf'), '');
    // One that has only just been changed is not remembered.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const truth = await puppetSettings({ puppet, stateDir: folder, words });
    return async (copy) => {
      const found = await puppetSettings({ puppet, stateDir: copy, words });
      return isDeepStrictEqual(found, truth) ? undefined : JSON.stringify(found);
    };
  },
});

const REASON = 'a new disk is on its way';
const UNTIL_S = Math.floor(Date.now() / 1000) + 86_400;

const commandOf = (user: string, action: Request['action']) =>
  ({ by: { user, uid: 0, host: 'puppet' }, action }) as Request;

/** Puppet is disabled until tomorrow, by root: whatever can still be read of that, it stays so, for everybody else as well. */
const disabledLock: Kept = {
  isMark: true,
  async make(folder) {
    const disablingIn = (where: string) =>
      createDisabling({ lockPath: async () => join(where, 'agent_disabled.lock'), clock, log });
    const action = { op: 'disable', reason: REASON, until: UNTIL_S } as const;
    await disablingIn(folder).disable({ ...commandOf('root', action), action });
    return async (copy) => {
      const path = join(copy, 'agent_disabled.lock');
      const found = await readDisabled(path);
      const { reason, by = 'root@puppet', until = UNTIL_S * 1000 } = found ?? {};
      const isTold = reason === REASON || /damaged|no reason/.test(reason ?? '');
      if (!isTold || by !== 'root@puppet' || until !== UNTIL_S * 1000) return JSON.stringify(found);
      const disabling = disablingIn(copy);
      await disabling.expire();
      if (!existsSync(path)) return 'it was enabled by itself';
      const enable = { op: 'enable' } as const;
      const { result, message } = await disabling.enable({ ...commandOf('ann', enable), action: enable });
      return result === 'held' && existsSync(path) ? undefined : `somebody else may enable it: ${message}`;
    };
  },
};

/** Somebody wants a job to stop, and what runs there to end: if that cannot be read, at least the first. */
const order = (cancel: boolean): Kept => ({
  isMark: true,
  async make(folder) {
    const job = uuidv7(Date.now());
    mkdirSync(join(folder, 'jobs', job), { recursive: true, mode: 0o700 });
    await openJobStore(folder, clock).order(job, { at: 1, by: 'root@puppet', cancel });
    return async (copy) => {
      const found = await orRefused(() => openJobStore(copy, clock).ordered(job));
      const { by = '' } = found ?? {};
      const isTrue = found?.cancel === cancel && by === 'root@puppet';
      const isTold = found?.cancel === false && /cannot be read|a newer version/.test(by);
      return isTrue || isTold ? undefined : JSON.stringify(found ?? 'the job goes on');
    };
  },
});

export const KEPT_FILES: Readonly<Record<string, Kept>> = {
  'facts.json': facts,
  'puppet-settings.json': settings([]),
  'puppet-service-settings.json': settings(['--statedir', '/elsewhere']),
  'agent_disabled.lock': disabledLock,
  'order to stop': order(false),
  'order to cancel': order(true),
};
