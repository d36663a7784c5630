/** The last release beside this checkout: agents and controllers of both, as processes that share folders. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type AgentProcess, agentCommand, isOver } from '../../tools/agent-process.ts';
import { freePort } from '../../tools/loopback.ts';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { KICK } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';
import { type Ended, ended } from '../support/kick.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

/** `old`: the release; `new`: this checkout. */
export type Age = 'old' | 'new';

/** Each with the other. */
export const PAIRS = [
  ['old', 'new'],
  ['new', 'old'],
] as const satisfies readonly (readonly [Age, Age])[];

const PACKED = readdirSync(import.meta.dirname).find((name) => name.endsWith('.mjs.gz')) ?? '';

/** Of the release: `0.1.0`. */
export const OLD_VERSION = /^kick-(.*)\.mjs\.gz$/.exec(PACKED)?.[1] ?? '';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'bin');

export const CONTROLLER = 'puppet.example.com';
export const AGENT = 'web1.example.com';

export interface VersionSite {
  readonly folder: string;
  readonly ca: MintedCa;
  /** What runs have noted. */
  readonly journal: string;
  /** The folder of jobs, locks and the controller's configuration. */
  at(...path: string[]): string;
  /** Starts the agent, in the same folders and at the same port whatever its version. */
  agent(age: Age): Promise<AgentProcess>;
  /** A command on the controller, to its end. */
  kick(age: Age, ...words: string[]): Promise<Ended>;
  start(age: Age, ...words: string[]): ChildProcess;
  /** Lets one run end that waits. */
  release(): void;
  agentYaml(config: object): void;
  inventory(more: object): void;
}

/** `run`: a program of test/fixtures/bin; `until-taken`, the default, waits for `release`. */
export function versionSite(run = 'until-taken'): VersionSite {
  const folder = tempFolder();
  const at = (...path: string[]) => join(folder, ...path);
  const old = at('kick.mjs');
  writeFileSync(old, gunzipSync(readFileSync(join(import.meta.dirname, PACKED))));
  const programs = { old: [process.execPath, old], new: KICK };
  const [pkiDir, configDir, journal, released] = [at('pki'), at('etc'), at('journal'), at('release')];
  const ca = mintCa();
  for (const [name, role] of [
    [AGENT, 'agent'],
    [CONTROLLER, 'controller'],
  ] as const)
    ca.write(pkiDir, ca.issue(name, { role }));
  mkdirSync(configDir);
  writeFileSync(journal, '');
  const agentYaml = (config: object) => writeFileSync(join(configDir, 'agent.yaml'), JSON.stringify(config));
  agentYaml({ runner: 'command', command: [join(FIXTURES, run), journal, released], kill_grace: '1s' });
  let port = 0;
  const inventory = (more: object) => {
    const targets = [{ name: AGENT, uri: `127.0.0.1:${port}` }];
    writeFileSync(join(configDir, 'inventory.yaml'), JSON.stringify({ targets, ...more }));
  };
  const env = {
    ...process.env,
    ...{ KICK_CONFIG_DIR: configDir, KICK_STATE_DIR: at('controller'), KICK_PKI_DIR: pkiDir },
    ...{ KICK_CERTNAME: CONTROLLER, NO_COLOR: '1' },
  };
  const start = (age: Age, ...words: string[]) => {
    const [program = '', ...args] = [...programs[age], ...words];
    const child = spawn(program, args, { env });
    afterwards(() => void (isOver(child) || child.kill('SIGKILL')));
    return child;
  };
  return {
    ...{ folder, ca, journal, at, start, agentYaml, inventory },
    async agent(age) {
      port ||= await freePort();
      const folders = { configDir, stateDir: at('state'), runDir: at('run'), pkiDir, certname: AGENT, port };
      const agent = await startRealAgent(agentCommand(folders, programs[age]));
      inventory({});
      return agent;
    },
    kick: (age, ...words) => ended(start(age, ...words)),
    release: () => writeFileSync(released, ''),
  };
}

/** Lines that runs have noted. */
export const noted = ({ journal }: VersionSite): string[] =>
  existsSync(journal)
    ? readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
