/** What the commands below `kick pki` share. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import type { openAuthority } from '../../pki/authority.ts';
import type { Role } from '../../pki/authority-index.ts';
import { FOLDER_OPTIONS } from '../options/folders.ts';
import { choiceOption } from '../options/option-choices.ts';
import type { Terminal } from '../terminal.ts';

export interface PkiTools {
  terminal: Terminal;
  /** Adds a command below `pki`. */
  add(name: string): Command;
  pkiDirOf(command: Command): string;
  /** Of this host. */
  certnameOf(command: Command): string;
  authority(command: Command): ReturnType<typeof openAuthority>;
}

export const DEFAULT_PKI_DIR = FOLDER_OPTIONS.pkiDir[3];

/** For a command to type, which needs no words for the usual folder. */
export const pkiDirWords = (dir: string) => (dir === DEFAULT_PKI_DIR ? '' : ` --pki-dir ${dir}`);

export const ROLES: readonly Role[] = ['agent', 'controller'];

export const roleOption = () =>
  choiceOption('--role <role>', 'agent (for a node) or controller (for a host that kicks)', ROLES);

export function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new KickError('usage', `${option}: "${value}" is not known`, {
    hint: `one of ${allowed.join(', ')}`,
  });
}
