/** The options that every command shares: flag, then environment, then default (DESIGN 8). */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Folders } from '../../config/folders.ts';
import { KickError } from '../../errors.ts';
import type { Environment } from '../context.ts';
import { inGroup, OPTION_GROUPS } from './groups.ts';

/** Flag, environment variable, description, default. */
export const FOLDER_OPTIONS = {
  configDir: [
    '--config-dir <dir>',
    'KICK_CONFIG_DIR',
    'folder of agent.yaml, controller.yaml and inventory.yaml',
    '/etc/kick',
  ],
  stateDir: ['--state-dir <dir>', 'KICK_STATE_DIR', 'folder of jobs, requests and locks', '/var/lib/kick'],
  runDir: ['--run-dir <dir>', 'KICK_RUN_DIR', 'folder of runs in progress, on a tmpfs', '/run/kick'],
  pkiDir: ['--pki-dir <dir>', 'KICK_PKI_DIR', 'certificates, where there is no Puppet CA', '/etc/kick/pki'],
  puppet: ['--puppet <file>', 'KICK_PUPPET', 'the puppet program', "its package's, then PATH"],
  certname: ['--certname <name>', 'KICK_CERTNAME', 'name of the certificate in --pki-dir', "the host's"],
} as const;

type Name = keyof typeof FOLDER_OPTIONS;

/** The values given on the command line. */
export type GivenFolders = { [name in Name]?: string };

export function addFolderOptions(
  command: Command,
  names: readonly Name[] = Object.keys(FOLDER_OPTIONS) as Name[],
): void {
  inGroup(command, OPTION_GROUPS.places, () => {
    for (const name of names) {
      const [flags, variable, what, preset] = FOLDER_OPTIONS[name];
      command.option(flags, `${what} (${variable}; default: ${preset})`);
    }
  });
}

/** The folders of a command. Throws like `foldersFrom`. */
export function foldersOf(command: Command, env: Environment): Folders {
  return foldersFrom(command.optsWithGlobals<GivenFolders>(), env);
}

/** Throws `KickError` `usage` for an empty path, which would be dangerous for Puppet as root. */
export function foldersFrom(given: GivenFolders, env: Environment): Folders {
  const find = (name: Name): string | undefined => {
    const [flags, variable] = FOLDER_OPTIONS[name];
    const value = given[name] ?? env[variable];
    if (value === '') throw new KickError('usage', `${flags}: it is empty`);
    return value;
  };
  const folder = (name: Name) => resolve(find(name) ?? FOLDER_OPTIONS[name][3]);
  const [puppet, certname] = [find('puppet'), find('certname')];
  return {
    configDir: folder('configDir'),
    configDirNamed: find('configDir') !== undefined,
    stateDir: folder('stateDir'),
    runDir: folder('runDir'),
    pkiDir: folder('pkiDir'),
    pkiDirNamed: find('pkiDir') !== undefined,
    ...(puppet !== undefined && { puppet }),
    ...(certname !== undefined && { certname }),
  };
}
