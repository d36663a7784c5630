/** The unit's own command starts the agent on every Node, and the controller runs on it too. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NODES, nodeFolder } from '../../scripts/nodes.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { PROGRAM } from '../../tools/program.ts';
import { unitCommand } from '../../tools/unit-command.ts';
import { ended } from '../support/kick.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const AGENT = 'web1.example.com';
const CONTROLLER = 'puppet.example.com';

/** Certificates, configuration and the link that the README makes; variables for the agent and the controller. */
async function place(folder: string, nodePath: string) {
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  const ca = mintCa();
  ca.write(pki, ca.issue(AGENT, { role: 'agent' }));
  ca.write(pki, ca.issue(CONTROLLER));
  mkdirSync(etc);
  const runs = join(folder, 'runs');
  const command = ['/bin/sh', '-c', `echo ran >>'${runs}'`];
  writeFileSync(
    join(etc, 'agent.yaml'),
    JSON.stringify({ runner: 'command', command, port: 0, bind: '127.0.0.1' }),
  );
  writeFileSync(join(etc, 'controller.yaml'), 'puppetdb: false\n');
  const kick = join(folder, 'kick');
  symlinkSync(PROGRAM, kick);
  const env = (name: string) => ({
    ...{ PATH: `${nodePath}:/usr/bin:/bin`, LANG: 'C.UTF-8', NO_COLOR: '1' },
    ...{ KICK_CONFIG_DIR: etc, KICK_PKI_DIR: pki, KICK_CERTNAME: name },
    ...{ KICK_STATE_DIR: join(folder, `state-${name}`), KICK_RUN_DIR: join(folder, `run-${name}`) },
  });
  return { etc, kick, env, runs };
}

test.each(NODES)(
  'Node %s: the unit starts the agent without a word on stderr, and it runs what it is asked for',
  async (version) => {
    const nodePath = await nodeFolder(version);
    const { etc, kick, env, runs } = await place(tempFolder(), nodePath);
    const agent = await startRealAgent(unitCommand([kick, 'agent']), {
      env: env(AGENT),
      stderr: 'collect',
    });
    // It is the unit's main process itself, on this Node, without compiled code.
    expect(readlinkSync(`/proc/${agent.pid}/exe`)).toBe(join(nodePath, 'node'));
    expect(readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8').split('\0')).toContain('--jitless');
    writeFileSync(
      join(etc, 'inventory.yaml'),
      JSON.stringify({ targets: [{ name: AGENT, uri: `127.0.0.1:${agent.port}` }] }),
    );
    const asked = await ended(spawn(kick, [AGENT, '--quiet'], { env: env(CONTROLLER) }));
    expect(asked).toEqual({ code: 0, err: '', out: '' });
    expect(readFileSync(runs, 'utf8')).toBe('ran\n');
    await agent.kill();
    expect([agent.said(), agent.process.exitCode]).toEqual(['', 0]);
  },
);

test.each(NODES)('Node %s: an agent that nobody has asked anything ends well', async (version) => {
  const nodePath = await nodeFolder(version);
  const { kick, env } = await place(tempFolder(), nodePath);
  const agent = await startRealAgent(unitCommand([kick, 'agent']), { env: env(AGENT), stderr: 'collect' });
  await agent.kill();
  expect([agent.said(), agent.process.exitCode]).toEqual(['', 0]);
});

/** Starts the unit's command with a script in the place of Node. */
function startWith(script: string) {
  const folder = tempFolder();
  writeFileSync(join(folder, 'node'), `#!/bin/sh\ncd '${folder}'\n${script}\n`, { mode: 0o755 });
  const [program = '', ...words] = unitCommand(['/opt/kick', 'agent']);
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  return { folder, agent: spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] }) };
}

test('SIGHUP and SIGUSR1 before Node has begun do not end the service', async () => {
  const { folder, agent } = startWith(
    'case "$*" in *" -e 0") touch tried; while [ -e tried ] && [ ! -e go ]; do sleep 0.02; done; exit; esac; echo "started: $*"',
  );
  const end = ended(agent);
  await expect.poll(() => existsSync(join(folder, 'tried'))).toBe(true);
  for (const signal of ['SIGHUP', 'SIGUSR1'] as const) agent.kill(signal);
  writeFileSync(join(folder, 'go'), '');
  expect(await end).toMatchObject({
    out: expect.stringMatching(/^started: .* \/opt\/kick agent\n$/),
    code: 0,
  });
});

test('a Node that takes none of the flags starts the agent without them', async () => {
  const { agent } = startWith('case $1 in --*) echo "bad option: $1" >&2; exit 9; esac; echo "started: $*"');
  expect(await ended(agent)).toEqual({ out: 'started: /opt/kick agent\n', err: '', code: 0 });
});
