/** A machine whose agent has certificates of a test's CA and runs a program of the test, and a controller beside it. */
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { type Ended, ended } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import type { Machine } from './machine.ts';

export const NODE = 'node1.example.com';
const CONTROLLER = 'puppet.example.com';

export interface PackageSite {
  /** Kicks the machine and waits for the end. */
  kick(...words: string[]): Promise<Ended>;
  startKick(...words: string[]): ChildProcess;
  /** Whether a run is in progress; it ends by `endRun`. */
  isRunning(): boolean;
  endRun(): void;
}

/** What agent.yaml says there: a run that goes on until it is told to end, and has then changed something. */
export const RUN = [
  '/bin/sh',
  '-c',
  'touch /root/runs; while [ -e /root/runs ]; do sleep 0.05; done; exit 2',
];

/** `agent.yaml` may be a text that is appended. */
export function packageSite(machine: Machine): PackageSite {
  const folder = tempFolder();
  const ca = mintCa();
  ca.write(join(folder, 'node'), ca.issue(NODE, { role: 'agent' }));
  ca.write(join(folder, 'controller'), ca.issue(CONTROLLER));
  mkdirSync(machine.path('/etc/kick'), { recursive: true });
  cpSync(join(folder, 'node'), machine.path('/etc/kick/pki'), { recursive: true });
  const inventory = { version: 2, targets: [{ name: NODE, uri: '127.0.0.1' }] };
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc', 'inventory.yaml'), JSON.stringify(inventory));
  const env = {
    KICK_CONFIG_DIR: join(folder, 'etc'),
    KICK_STATE_DIR: join(folder, 'state'),
    KICK_PKI_DIR: join(folder, 'controller'),
    KICK_CERTNAME: CONTROLLER,
  };
  const startKick = (...words: string[]) => machine.kick(words, env);
  return {
    startKick,
    kick: (...words) => ended(startKick(...words)),
    isRunning: () => existsSync(machine.path('/root/runs')),
    endRun: () => machine.must('rm', '/root/runs'),
  };
}

export const mainPid = (machine: Machine, unit = 'kick-agent') =>
  machine.must('systemctl', 'show', '--property=MainPID', '--value', unit).trim();

/** Every file that a package could leave behind. */
export const everything = (machine: Machine) =>
  machine.must(
    'find',
    '/etc',
    '/usr',
    '/var/lib',
    '-xdev',
    '-path',
    '/var/lib/dpkg',
    '-prune',
    '-o',
    '-print',
  );
