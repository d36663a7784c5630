/** A site on loopback: real agents in this process that run a fixture, and a controller that knows them. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IssueOptions, type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { startAgentHere } from './agent-here.ts';
import { type Ended, startKick } from './kick.ts';
import { kickHere } from './kick-here.ts';
import { tempFolder } from './temp.ts';

export const SITE_CONTROLLER = 'puppet.example.com';

export interface Site {
  readonly folder: string;
  /** `web1.example.com`, … */
  readonly names: readonly string[];
  /** The controller's folders, as variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a command as a process of its own. */
  start(...words: string[]): ChildProcess;
  /** Runs a command to its end, in this process. */
  kick(...words: string[]): Promise<Ended>;
  /** Adds to inventory.yaml: groups, other targets. */
  inventory(more: object): void;
  controllerYaml(config: object): void;
  /** What a host's runs have noted, a word a line: begin, end, … */
  journal(name: string): string[];
  /** Lets all runs end that are held. */
  release(): void;
  /** From now on they wait again. */
  hold(): void;
}

const NAME = (index: number) => `web${index + 1}.example.com`;

interface SiteOptions {
  /** Of the host with this index, from 0. */
  nameOf?: (index: number) => string;
  /** What its certificate is for. */
  controller?: IssueOptions;
  /** Whether agents that are reached through a broker have a port as well. */
  hasPort?: boolean;
  /** Starts the broker through which agents are reached that have no port. */
  nats?: (parties: Parties) => Promise<{ address: string | readonly string[]; tls?: boolean }>;
}

/** Whom a broker must know. */
export interface Parties {
  ca: MintedCa;
  agents: readonly string[];
  controllers: readonly string[];
}

/**
 * `script` is what a run does: sh, with $JOURNAL to note in, and `held` to wait until it is released. The agents answer
 * while this process waits for them, and so not to `kickNow`.
 */
export async function realSite(
  count: number,
  script: (name: string, index: number) => string,
  { nameOf = NAME, controller = {}, nats, hasPort = nats === undefined }: SiteOptions = {},
): Promise<Site> {
  const folder = tempFolder();
  const pki = join(folder, 'pki');
  const ca = mintCa();
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  ca.write(pki, ca.issue(SITE_CONTROLLER, controller));
  const broker = await nats?.({ ca, agents: names, controllers: [SITE_CONTROLLER] });
  const brokers = broker && { nats: { servers: [broker.address].flat(), tls: broker.tls ?? true } };
  const journalOf = (name: string) => join(folder, name, 'journal');
  const release = join(folder, 'release');
  const ports = await Promise.all(
    names.map(async (name, index) => {
      const own = join(folder, name);
      mkdirSync(own);
      ca.write(pki, ca.issue(name, { role: 'agent' }));
      const program = join(own, 'run');
      // A test that is over has removed the folder, and releases nobody any more.
      const wait = `while [ ! -e '${release}' ] && [ -d '${folder}' ]; do sleep 0.02; done`;
      const head = `#!/bin/sh\nJOURNAL='${journalOf(name)}'\nheld() { ${wait}; }\n`;
      writeFileSync(program, `${head}${script(name, index)}\n`, { mode: 0o755 });
      const config = { runner: 'command', command: [program], kill_grace: '1s' };
      const reach = { ...brokers, listen: hasPort };
      writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ ...config, ...reach }));
      const folders = { stateDir: join(own, 'state'), runDir: join(own, 'rundir'), pkiDir: pki };
      return startAgentHere({ configDir: own, certname: name, ...folders });
    }),
  );
  const etc = join(folder, 'etc');
  mkdirSync(etc);
  const reachOf = (index: number) => (hasPort ? { uri: `127.0.0.1:${ports[index]}` } : { via: 'nats' });
  const targets = names.map((name, index) => ({ name, ...reachOf(index) }));
  const inventory = (more: object) => {
    const { targets: others = [], ...rest } = more as { targets?: object[] };
    writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: [...targets, ...others], ...rest }));
  };
  const controllerYaml = (config: object) =>
    writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ ...brokers, ...config }));
  inventory({});
  if (brokers !== undefined) controllerYaml({});
  const env = {
    KICK_CONFIG_DIR: etc,
    KICK_STATE_DIR: join(folder, 'controller'),
    KICK_PKI_DIR: pki,
    KICK_CERTNAME: SITE_CONTROLLER,
    NO_COLOR: '1',
  };
  const start = (...words: string[]): ChildProcess => startKick(words, { env });
  return {
    ...{ folder, names, env, start, inventory, controllerYaml },
    kick: (...words) => kickHere(words, { env }),
    journal: (name) => wordsIn(journalOf(name)),
    release: () => writeFileSync(release, ''),
    hold: () => rmSync(release, { force: true }),
  };
}

const wordsIn = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);
