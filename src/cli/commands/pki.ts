/** `kick pki`: our own CA, where there is no Puppet CA. */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { CERTIFICATE_DAYS, openAuthority } from '../../pki/authority.ts';
import type { Entry, Role } from '../../pki/authority-index.ts';
import type { KeyType } from '../../pki/new-key.ts';
import { systemClock } from '../../util/clock.ts';
import type { Environment } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { choiceOption } from '../options/option-choices.ts';
import type { Terminal } from '../terminal.ts';

export interface PkiContext {
  terminal: Terminal;
  env: Environment;
}

const EXAMPLES = `
Examples:
  kick pki init                                         make a CA in /etc/kick/pki
  kick pki issue web1.example.com --role agent          a key and a certificate for a node
  kick pki issue deploy.example.com --role controller   for the host where kick is run
  kick pki revoke web1.example.com                      then copy crl.pem to every host

A node needs four files, in its own /etc/kick/pki:
  private_keys/NAME.pem  certs/NAME.pem  certs/ca.pem  crl.pem
`;

/** Adds `pki` and its commands to the program. */
export function addPkiCommand(program: Command, { terminal, env }: PkiContext): void {
  const pki = program
    .command('pki')
    .description('make and keep a CA of our own, where there is no Puppet CA')
    .addHelpText('after', EXAMPLES);
  const pkiDir = (command: Command) => foldersOf(command, env).pkiDir;
  const authority = (command: Command) => openAuthority(pkiDir(command), { clock: systemClock });
  const add = (name: string) => {
    const command = pki.command(name);
    addFolderOptions(command, ['pkiDir']);
    return command;
  };

  add('init')
    .description('make a CA: its key, its certificate and an empty CRL')
    .option('--name <name>', 'name of the CA', 'kick CA')
    .action(async ({ name }: { name: string }, command: Command) => {
      const made = await authority(command).init(name);
      terminal.out(`Made the CA "${name}":\n${made.map((path) => `  ${path}\n`).join('')}`);
      terminal.out(`Next: kick pki issue NAME --role agent|controller --pki-dir ${pkiDir(command)}\n`);
    });

  add('issue')
    .description('make a key and a certificate')
    .argument('<name>', 'certname')
    .requiredOption('--role <role>', 'agent (for a node) or controller (for a host that kicks)')
    .option('--key-type <type>', 'p256 or rsa', 'p256')
    .option('--days <n>', 'days until it expires', String(CERTIFICATE_DAYS))
    .action(
      async (name: string, options: { role: string; keyType: string; days: string }, command: Command) => {
        const made = await authority(command).issue({
          name,
          role: oneOf<Role>('--role', options.role, ['agent', 'controller']),
          keyType: oneOf<KeyType>('--key-type', options.keyType, ['p256', 'rsa']),
          days: daysOf(options.days),
        });
        terminal.out(`Made a certificate for ${name}:\n${made.map((path) => `  ${path}\n`).join('')}`);
        terminal.out(`Copy them, certs/ca.pem and crl.pem to the same places in /etc/kick/pki on ${name}.\n`);
      },
    );

  add('revoke')
    .description('revoke the certificate of a name')
    .argument('<name>', 'certname')

    .action(async (name: string, _options: object, command: Command) => {
      await authority(command).revoke(name);
      terminal.out(
        `Revoked the certificate of ${name}. Copy ${pkiDir(command)}/crl.pem to every host: they load it by themselves.\n`,
      );
    });

  add('list')
    .description('list what was issued')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .action(async ({ format }: { format: string }, command: Command) => {
      const entries = await authority(command).list();
      if (oneOf('--format', format, ['human', 'json']) === 'json') {
        terminal.out(`${JSON.stringify(entries.map(asJson), null, 2)}\n`);
        return;
      }
      const width = Math.max(4, ...entries.map(({ name }) => name.length));
      for (const entry of entries) terminal.out(`${entry.name.padEnd(width)}  ${describe(entry)}\n`);
      if (entries.length === 0) terminal.err('No certificates yet: kick pki issue NAME --role agent\n');
    });
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new KickError('usage', `${option}: "${value}" is not known`, {
    hint: `one of ${allowed.join(', ')}`,
  });
}

function daysOf(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days > 0) return days;
  throw new KickError('usage', `--days: "${text}" is not a number of days`);
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function describe({ role, serial, notAfter, revokedAt }: Entry): string {
  const state = revokedAt === undefined ? `until ${day(notAfter)}` : `revoked ${day(revokedAt)}`;
  return `${role.padEnd(10)}  ${state.padEnd(18)}  ${serial}`;
}

function asJson({ name, role, serial, notAfter, revokedAt }: Entry) {
  return {
    ...{ name, role, serial, notAfter: new Date(notAfter).toISOString() },
    ...(revokedAt !== undefined && { revokedAt: new Date(revokedAt).toISOString() }),
  };
}
