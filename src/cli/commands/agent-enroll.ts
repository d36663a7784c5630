/** `kick agent enroll` and `kick agent renew`: certificates of kick's own CA, on the node. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ownPaths } from '../../config/identity.ts';
import type { NodePlace } from '../../enrolment/node-place.ts';
import { DEFAULT_PORT } from '../../enrolment/wire.ts';
import { KickError, messageOf } from '../../errors.ts';
import { isPuppetAdministrator } from '../../pki/der.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { isHostName } from '../../protocol/names.ts';
import { boundedText } from '../../util/bounded-text.ts';
import { systemClock } from '../../util/clock.ts';
import { readRegularFile } from '../../util/regular-file.ts';
import { dateTime } from '../../util/times.ts';
import type { CommandContext, Environment } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { askSecret, canAsk } from '../terminal.ts';

const EXAMPLES = `
Examples:
  kick agent enroll --server deploy.example.com    asks for the token
  kick agent enroll --server deploy.example.com --token-file /run/token
  kick agent enroll --server deploy.example.com:443 --force <token

The token is what kick pki token prints on the controller. It comes from
--token-file, the variable KICK_TOKEN, or stdin; not from the command line,
which others can see. From then on kick agent renews the certificate by itself.
`;

interface EnrollOptions {
  server: string;
  tokenFile?: string;
  force?: true;
}

export function addEnroll(agent: Command, { terminal, env }: CommandContext): void {
  const command = agent
    .command('enroll')
    .description("get this node's first certificate from kick pki serve, with a token")
    .requiredOption('--server <host[:port]>', `where kick pki serve runs (port: ${DEFAULT_PORT})`)
    .option('--token-file <file>', 'file with the token')
    .option('--force', 'replace a certificate that can be used')
    .addHelpText('after', EXAMPLES);
  addFolderOptions(command, ['pkiDir', 'certname']);
  command.action(async (options: EnrollOptions) => {
    const server = serverOf(options.server);
    const { place, name } = placeOf(command, env);
    const [{ enroll }, { parseToken }] = await Promise.all([
      import('../../enrolment/enroll.ts'),
      import('../../enrolment/token.ts'),
    ]);
    const token = parseToken(await readToken(options.tokenFile, env));
    const isForced = options.force === true;
    const isReplaced = existsSync(place.paths.certificate);
    const pem = await enroll({ ...{ server, token, name, place, isForced }, clock: systemClock });
    const { validTo, raw } = new X509Certificate(pem);
    terminal.out(`${name} has a certificate until ${dateTime(Date.parse(validTo))}, in ${place.dir}\n`);
    terminal.out(
      isPuppetAdministrator(raw)
        ? `Next: kick ping HOST; kick agent, or kick agent renew from cron, renews the certificate\n`
        : isReplaced
          ? REPLACED
          : `${namedWords(name)}Next: systemctl enable kick-agent && systemctl restart kick-agent\n`,
    );
  });
}

const REPLACED = `An agent that uses the one before takes it up within seconds, without a restart.
kick-listener, which has a copy of the key, needs one: systemctl restart kick-listener
`;

/** By which name an agent looks for it. */
function namedWords(name: string): string {
  const here = hostname().toLowerCase();
  return name === here ? '' : `In agent.yaml, since this host calls itself "${here}": certname: ${name}\n`;
}

export function addRenew(agent: Command, { terminal, env }: CommandContext): void {
  const command = agent
    .command('renew')
    .description('fetch the CRL, and renew the certificate if it is time: what kick agent does hourly')
    .addHelpText(
      'after',
      '\nExamples:\n  kick agent renew    from cron, where no agent runs; or to see why it fails\n',
    );
  addFolderOptions(command, ['pkiDir', 'certname']);
  command.action(async () => {
    const { place, name } = placeOf(command, env);
    const { isDue, refreshCa, refreshCrl, renew, renewalTime } = await import('../../enrolment/renew.ts');
    const clock = systemClock;
    terminal.out((await refreshCrl(place, { clock })) ? 'A new CRL\n' : 'No new CRL\n');
    if (await refreshCa(place, { clock })) terminal.out(`Changed CAs: ${place.paths.ca}\n`);
    const identity = await loadIdentity(place.paths, { now: clock.now() });
    const [leaf] = identity.chain;
    if (leaf !== undefined && !isDue(identity, clock.now())) {
      terminal.out(`The certificate of ${name} is renewed from ${dateTime(renewalTime(leaf))} on\n`);
      return;
    }
    const { validTo } = new X509Certificate(await renew(place, { clock }));
    terminal.out(`${name} has a new certificate until ${dateTime(Date.parse(validTo))}\n`);
  });
}

function placeOf(command: Command, env: Environment): { place: NodePlace; name: string } {
  const { pkiDir, certname = hostname().toLowerCase() } = foldersOf(command, env);
  return { name: certname, place: { dir: pkiDir, paths: ownPaths(pkiDir, certname) } };
}

/** Throws `KickError` `usage`. */
function serverOf(text: string): { host: string; port: number } {
  const [, host = '', digits] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text.toLowerCase()) ?? [];
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (isHostName(host) && port >= 1 && port <= 65_535) return { host, port };
  throw new KickError('usage', `--server: "${text}" is not a host, or host:port`, {
    hint: 'its certname, as in deploy.example.com',
  });
}

const MAX_TOKEN_BYTES = 4096;

/** Throws `KickError` `input`. */
async function readToken(file: string | undefined, env: Environment): Promise<string> {
  const doing = file === undefined ? 'read the token from stdin' : `read the token from "${resolve(file)}"`;
  try {
    if (file !== undefined) return (await readRegularFile(file, MAX_TOKEN_BYTES)).bytes.toString('latin1');
    const given = env['KICK_TOKEN'];
    if (given !== undefined) return given;
    return canAsk() ? await askSecret('Token: ') : await boundedText(process.stdin, MAX_TOKEN_BYTES);
  } catch (error) {
    throw new KickError('input', `${doing}: ${messageOf(error)}`, { cause: error });
  }
}
