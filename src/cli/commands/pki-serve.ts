/** `kick pki serve`: nodes get their certificates here; a process of its own, so that the page never holds the CA's key. */
import type { Command } from 'commander';
import { DEFAULT_PORT } from '../../enrolment/wire.ts';
import type { Environment } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { whole } from '../options/option-values.ts';

const EXAMPLES = `
Examples:
  kick pki serve
  kick pki serve --port 443 --bind 192.0.2.10

It needs a certificate of this CA for this host, which it renews by itself:
  kick pki issue deploy.example.com --role controller
`;

export function addPkiServe(pki: Command, env: Environment): void {
  const command = pki
    .command('serve')
    .description('give nodes with a token their certificate, and renew it later')
    .option('--port <port>', 'where to listen', whole(0, 65_535), DEFAULT_PORT)
    .option('--bind <address>', 'the address on which to listen (default: all)')
    .addHelpText('after', EXAMPLES);
  addFolderOptions(command, ['pkiDir', 'certname', 'configDir']);
  command.action(async (options: { port: number; bind?: string }) => {
    const { servePki } = await import('../serve/serve-pki.ts');
    await servePki(foldersOf(command, env), options);
  });
}
