/** `kick pki`: our own CA, where there is no Puppet CA. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { CERTIFICATE_DAYS, type Listed, openAuthority } from '../../pki/authority.ts';
import type { Role } from '../../pki/authority-index.ts';
import type { KeyType } from '../../pki/new-key.ts';
import { systemClock } from '../../util/clock.ts';
import { safeJson } from '../../util/text.ts';
import { isoTime } from '../../util/times.ts';
import type { Environment } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { choiceOption } from '../options/option-choices.ts';
import { whole } from '../options/option-values.ts';
import type { Terminal } from '../terminal.ts';
import { addRotation } from './pki-rotate.ts';
import { addPkiServe } from './pki-serve.ts';
import { addToken, addTokens } from './pki-token.ts';
import { DEFAULT_PKI_DIR, oneOf, type PkiTools, pkiDirWords, ROLES, roleOption } from './pki-tools.ts';

export interface PkiContext {
  terminal: Terminal;
  env: Environment;
}

const EXAMPLES = `
Examples:
  kick pki init                            make a CA in /etc/kick/pki
  kick pki issue deploy.example.com --role controller      where kick is run
  kick pki serve                           where nodes get certificates
  kick pki token web1.example.com          for a node: kick agent enroll there
  kick pki revoke web1.example.com
  kick pki rotate-ca                       a new CA: see its --help

Nodes that have enrolled renew their certificate and fetch crl.pem themselves.
For others: kick pki issue NAME --role agent, then copy four files to their
/etc/kick/pki, and crl.pem again after each revocation:
  private_keys/NAME.pem  certs/NAME.pem  certs/ca.pem  crl.pem
`;

const ISSUE_EXAMPLES = `
Examples:
  kick pki issue deploy.example.com --role controller      this host
  kick pki issue web1.example.com --role agent             a node without a
                                                           way to kick pki serve
`;

const LIST_HELP = `
One line a certificate, oldest first:
  until       valid: of several with one name, the last is in use
  superseded  still valid, but its name has a newer one: renewed or issued again
  of the old CA  its name has none of the new CA yet (kick pki rotate-ca)
  expired, revoked  of no use any more
kick pki revoke NAME revokes all that are valid.
`;

const KEY_TYPES: readonly KeyType[] = ['p256', 'rsa'];

/** Adds `pki` and its subcommands. */
export function addPkiCommand(program: Command, { terminal, env }: PkiContext): void {
  const pki = program
    .command('pki')
    .description('make and maintain a CA where there is no Puppet CA')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', EXAMPLES);
  const pkiDirOf = (command: Command) => foldersOf(command, env).pkiDir;
  const tools: PkiTools = {
    terminal,
    pkiDirOf,
    certnameOf: (command) => foldersOf(command, env).certname ?? hostname().toLowerCase(),
    authority: (command) => openAuthority(pkiDirOf(command), { clock: systemClock }),
    add: (name) => pki.command(name),
  };
  addInit(tools);
  addIssue(tools);
  addRevoke(tools);
  addList(tools);
  addToken(tools);
  addTokens(tools);
  addRotation(tools);
  for (const command of pki.commands)
    addFolderOptions(command, command.name() === 'token' ? ['pkiDir', 'certname'] : ['pkiDir']);
  addPkiServe(pki, env);
}

function addInit({ terminal, add, pkiDirOf, certnameOf, authority }: PkiTools): void {
  add('init')
    .description('make a CA: its key, its certificate and an empty CRL')
    .option('--name <name>', 'name of the CA', 'kick CA')
    .action(async ({ name }: { name: string }, command: Command) => {
      const made = await authority(command).init(name);
      terminal.out(`Made the CA "${name}":\n${indented(made)}`);
      terminal.out(
        `Next, for this host: kick pki issue ${certnameOf(command)} --role controller${pkiDirWords(pkiDirOf(command))}\n`,
      );
    });
}

function addIssue({ terminal, add, pkiDirOf, certnameOf, authority }: PkiTools): void {
  add('issue')
    .description('make a key and a certificate')
    .argument('<name>', 'certname')
    .addOption(roleOption().makeOptionMandatory())
    .addOption(choiceOption('--key-type <type>', 'p256 or rsa', KEY_TYPES).default('p256'))
    .option('--days <n>', 'days until it expires', whole(1, 99_999), CERTIFICATE_DAYS)
    .addHelpText('after', ISSUE_EXAMPLES)
    .action(
      async (name: string, options: { role: string; keyType: string; days: number }, command: Command) => {
        const made = await authority(command).issue({
          name,
          role: oneOf<Role>('--role', options.role, ROLES),
          keyType: oneOf<KeyType>('--key-type', options.keyType, KEY_TYPES),
          days: options.days,
        });
        terminal.out(`Made a certificate for ${name}:\n${indented(made)}`);
        terminal.out(whereTo(name, { dir: pkiDirOf(command), here: certnameOf(command) }));
      },
    );
}

/** What is to be done with a certificate that was issued. `here`: by which name this host looks for its own. */
function whereTo(name: string, { dir, here }: { dir: string; here: string }): string {
  if (name === here) {
    const how = dir === DEFAULT_PKI_DIR ? '' : ` with --pki-dir ${dir} or KICK_PKI_DIR`;
    return `This host uses them${how}: nothing to copy.\nNext: systemctl enable --now kick-pki (or kick pki serve), then kick pki token NAME for each node\n`;
  }
  const copy = `Copy them, certs/ca.pem and crl.pem of ${dir} to the same places below /etc/kick/pki on ${name}.\n`;
  if (name.split('.')[0] !== here.split('.')[0]) return copy;
  return `${copy}If that is this host: it looks for "${here}" unless KICK_CERTNAME or --certname says ${name}.\n`;
}

function addRevoke({ terminal, add, pkiDirOf, authority }: PkiTools): void {
  add('revoke')
    .description('revoke the certificate of a name')
    .argument('<name>', 'certname')
    .action(async (name: string, _options: object, command: Command) => {
      await authority(command).revoke(name);
      terminal.out(
        `Revoked the certificate of ${name}. Nodes that have enrolled fetch ${pkiDirOf(command)}/crl.pem; copy it to the others.\n`,
      );
    });
}

function addList({ terminal, add, authority }: PkiTools): void {
  add('list')
    .description('list the certificates that were issued')
    .addHelpText('after', LIST_HELP)
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .action(async ({ format }: { format: string }, command: Command) => {
      const entries = await authority(command).list();
      if (oneOf('--format', format, ['human', 'json']) === 'json') {
        terminal.out(`${safeJson(entries.map(asJson), 2)}\n`);
        return;
      }
      const width = entries.reduce((most, { name }) => Math.max(most, name.length), 4);
      for (const entry of entries) terminal.out(`${entry.name.padEnd(width)}  ${describe(entry)}\n`);
      if (entries.length === 0) terminal.err('No certificates yet: kick pki issue NAME --role agent\n');
    });
}

const indented = (paths: readonly string[]) => paths.map((path) => `  ${path}\n`).join('');

const day = (ms: number) => isoTime(ms).slice(0, 10);

function describe({ role, serial, state, notAfter, revokedAt, isHanging, isSuperseded }: Listed): string {
  const words = { valid: 'until', expired: 'expired', revoked: 'revoked' };
  const when = `${words[state]} ${day(revokedAt ?? notAfter)}`;
  const notes = `${isHanging ? '  of the old CA' : ''}${isSuperseded ? '  superseded' : ''}`;
  return `${role.padEnd(10)}  ${when.padEnd(18)}  ${serial}${notes}`;
}

function asJson({ name, role, serial, state, notAfter, revokedAt, isHanging, isSuperseded }: Listed) {
  return {
    name,
    role,
    serial,
    notAfter: isoTime(notAfter),
    state,
    ...(isHanging && { isOfOldCa: true }),
    ...(isSuperseded && { isSuperseded: true }),
    ...(revokedAt !== undefined && { revokedAt: isoTime(revokedAt) }),
  };
}
