/** `kick pki rotate-ca`, `switch-ca`, `retire-ca`: a new CA in the place of the old one, while everybody goes on. */
import type { Command } from 'commander';
import { plural } from '../../util/text.ts';
import type { PkiTools } from './pki-tools.ts';

const EXAMPLES = `
A CA is replaced in three steps, and nobody is shut out in between:
  kick pki rotate-ca    makes the next CA. Enrolled nodes trust it within two
                        hours; to others copy certs/ca.pem and crl.pem.
  kick pki switch-ca    three hours later (--force: at once): the next CA signs.
                        Enrolled nodes have a certificate of it two hours later,
                        and kick pki serve within an hour of the last of them.
                        For others: kick pki issue NAME --role agent, and copy.
  kick pki list         which names still have only one "of the old CA"
  kick pki retire-ca    removes the old CA once no name has. Before switch-ca it
                        removes the next one, which undoes rotate-ca.
`;

export function addRotation({ add, authority, terminal }: PkiTools): void {
  add('rotate-ca')
    .description('make the next CA, which is trusted beside this one')
    .option('--name <name>', 'its name (default: that of this one, and a number)')
    .addHelpText('after', EXAMPLES)
    .action(async ({ name }: { name?: string }, command: Command) => {
      const made = await authority(command).rotate(name);
      terminal.out(`Made the CA "${made.name}"; the one before still signs.\n`);
      terminal.out(
        'Next, when kick doctor --all names no host that does not trust it: kick pki switch-ca\n  (in three hours, or with --force now)\n',
      );
    });
  add('switch-ca')
    .description('let the next CA sign')
    .addHelpText('after', EXAMPLES)
    .option('--force', 'even though some nodes may not trust it yet')
    .action(async ({ force = false }: { force?: boolean }, command: Command) => {
      const { name, hanging } = await authority(command).switchOver({ isForced: force });
      terminal.out(
        `"${name}" signs from now on. ${plural(hanging.length, 'certificate')} of the old CA left to renew.\n`,
      );
      terminal.out('Next, when kick pki list shows none of the old CA: kick pki retire-ca\n');
    });
  add('retire-ca')
    .description('remove the CA that does not sign: the old one, once nobody has a certificate of it')
    .addHelpText('after', EXAMPLES)
    .option('--force', 'even if somebody has one, and will be shut out')
    .action(async ({ force = false }: { force?: boolean }, command: Command) => {
      const { name, hanging } = await authority(command).retire({ isForced: force });
      const out =
        hanging.length === 0 ? '' : ` ${plural(hanging.length, 'certificate')} of it are worth nothing now.`;
      terminal.out(`Removed the CA "${name}".${out}\n`);
    });
}
