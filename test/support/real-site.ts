/** A site on loopback: real `kick agent` processes that run a fixture, and a controller that knows them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { KICK } from './build.ts';
import { mintCa } from './minted-ca.ts';
import { portOf } from './real-agent.ts';
import { tempFolder } from './temp.ts';

export const SITE_CONTROLLER = 'puppet.example.com';

export interface Ended {
  out: string;
  err: string;
  code: number | null;
}

export interface Site {
  readonly folder: string;
  /** `web1.example.com`, … */
  readonly names: readonly string[];
  /** The controller's folders, as variables. */
  readonly env: Readonly<Record<string, string>>;
  start(...words: string[]): ChildProcess;
  kick(...words: string[]): Promise<Ended>;
  /** Adds to inventory.yaml: groups, other targets. */
  inventory(more: object): void;
  controllerYaml(config: object): void;
  /** What a host's runs have noted, a word a line: begin, end, … */
  journal(name: string): string[];
  /** Lets all runs end that wait for $RELEASE. */
  release(): void;
  /** From now on they wait again. */
  hold(): void;
}

const NAME = (index: number) => `web${index + 1}.example.com`;

/** `script` is what a run does: sh, with $JOURNAL to note in and $RELEASE to wait for. */
export async function realSite(
  count: number,
  script: (name: string, index: number) => string,
  nameOf = NAME,
): Promise<Site> {
  const folder = tempFolder();
  const pki = join(folder, 'pki');
  const ca = mintCa();
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  await ca.write(pki, SITE_CONTROLLER, ca.issue(SITE_CONTROLLER));
  const journalOf = (name: string) => join(folder, name, 'journal');
  const release = join(folder, 'release');
  const ports = await Promise.all(
    names.map(async (name, index) => {
      const own = join(folder, name);
      mkdirSync(own);
      await ca.write(pki, name, ca.issue(name, { role: 'agent', ppCliAuth: false }));
      const program = join(own, 'run');
      const head = `#!/bin/sh\nJOURNAL='${journalOf(name)}' RELEASE='${release}'\n`;
      writeFileSync(program, `${head}${script(name, index)}\n`, { mode: 0o755 });
      writeFileSync(
        join(own, 'agent.yaml'),
        JSON.stringify({ runner: 'command', command: [program], kill_grace: '1s' }),
      );
      const [node = '', ...args] = KICK;
      const child = spawn(
        node,
        [
          ...[...args, 'agent', '--port', '0', '--bind', '127.0.0.1', '--config-dir', own],
          ...['--state-dir', join(own, 'state'), '--run-dir', join(own, 'rundir')],
          ...['--pki-dir', pki, '--certname', name],
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      onTestFinished(() => void child.kill('SIGKILL'));
      return portOf(child);
    }),
  );
  const etc = join(folder, 'etc');
  mkdirSync(etc);
  const targets = names.map((name, index) => ({ name, uri: `127.0.0.1:${ports[index]}` }));
  const inventory = (more: object) => {
    const { targets: others = [], ...rest } = more as { targets?: object[] };
    writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: [...targets, ...others], ...rest }));
  };
  inventory({});
  const env = {
    KICK_CONFIG_DIR: etc,
    KICK_STATE_DIR: join(folder, 'controller'),
    KICK_PKI_DIR: pki,
    KICK_CERTNAME: SITE_CONTROLLER,
    NO_COLOR: '1',
  };
  const start = (...words: string[]): ChildProcess => {
    const [node = '', ...args] = KICK;
    return spawn(node, [...args, ...words], { env: { ...process.env, ...env } });
  };
  return {
    ...{ folder, names, env, start, inventory },
    kick: (...words) => ended(start(...words)),
    controllerYaml: (config) => writeFileSync(join(etc, 'controller.yaml'), JSON.stringify(config)),
    journal(name) {
      const path = journalOf(name);
      return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    },
    release: () => writeFileSync(release, ''),
    hold: () => rmSync(release, { force: true }),
  };
}

export async function ended(child: ChildProcess): Promise<Ended> {
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, code: await code };
}
