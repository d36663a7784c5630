/** `kick pki token` and `kick pki tokens`: what a node shows once to get its first certificate. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { formatToken } from '../../enrolment/token.ts';
import { KickError } from '../../errors.ts';
import { CERTIFICATE_DAYS } from '../../pki/authority.ts';
import { authorityPaths, type Role, readIndex } from '../../pki/authority-index.ts';
import { openEnrolments } from '../../pki/enrolments.ts';
import { readCertificates, readPem } from '../../pki/identity-files.ts';
import { systemClock } from '../../util/clock.ts';
import { safeJson } from '../../util/text.ts';
import { dateTime, isoTime } from '../../util/times.ts';
import { choiceOption } from '../options/option-choices.ts';
import { durationOf, whole } from '../options/option-values.ts';
import { oneOf, type PkiTools, pkiDirWords, ROLES, roleOption } from './pki-tools.ts';

const EXAMPLES = `
Examples:
  kick pki token web1.example.com
  kick pki token web1.example.com --replace --for 15m      a reinstalled node
  kick pki token web1.example.com --cancel

A new token cancels an earlier one of the same name. The token goes to stdout,
the rest to stderr. Whoever has the token gets the certificate of that name,
once: hand it over as you would a password.
`;

/** Milliseconds that a token may be good for. */
const FOR_MS = { least: 60_000, most: 7 * 86_400_000, usual: 3_600_000 };

interface TokenOptions {
  role: string;
  days: number;
  for?: number;
  replace?: boolean;
  cancel?: true;
}

export function addToken(tools: PkiTools): void {
  const { add, pkiDirOf, certnameOf } = tools;
  add('token')
    .description('make a token, with which a node gets its certificate once')
    .argument('<name>', 'certname of the node')
    .addOption(roleOption().default('agent'))
    .option('--days <n>', 'days until the certificate expires', whole(1, 99_999), CERTIFICATE_DAYS)
    .option(
      '--for <time>',
      'how long the token is good for (default: 1h)',
      durationOf(FOR_MS.least, FOR_MS.most),
    )
    .option('--replace', 'revoke a valid certificate of the name when the token is used')
    .option('--cancel', 'take the token of the name back instead')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: TokenOptions, command: Command) => {
      const dir = pkiDirOf(command);
      if (options.cancel === true) await cancel(name, dir, tools);
      else await create(name, options, { dir, here: certnameOf(command), ...tools });
    });
}

async function create(
  name: string,
  { role: word, days, for: forMs = FOR_MS.usual, replace = false }: TokenOptions,
  { dir, here, terminal }: Pick<PkiTools, 'terminal'> & { dir: string; here: string },
): Promise<void> {
  const role = oneOf<Role>('--role', word, ROLES);
  readIndex(dir); // Without a CA it says so.
  const fingerprint = caOf(here, dir).fingerprint256.replaceAll(':', '').toLowerCase();
  const enrolments = openEnrolments(dir, { clock: systemClock });
  const { id, secret, endsAt } = await enrolments.create({ name, role, days, forMs, replace });
  terminal.err(`A token for ${name} (${role}), good for one certificate until ${dateTime(endsAt)}:\n`);
  terminal.out(`${formatToken({ id, secret, fingerprint })}\n`);
  if (!existsSync(authorityPaths(dir).certificateOf(here))) {
    terminal.err(`First, as kick pki serve needs it: ${ownCertificate(here, dir)}\n`);
  }
  terminal.err(`On ${name}, as root, while kick pki serve runs here (it asks for the token):\n`);
  terminal.err(`  kick agent enroll --server ${here} --certname ${name}\n`);
}

const ownCertificate = (here: string, dir: string) =>
  `kick pki issue ${here} --role controller${pkiDirWords(dir)} (or --certname, if this host has another name)`;

/** The CA of the certificate that `kick pki serve` shows here: while the CA is rotated, it may be the one before. */
function caOf(here: string, dir: string): X509Certificate {
  const { ca: path, certificateOf } = authorityPaths(dir);
  const [signing, ...others] = readCertificates(readPem(path, 'CA certificates'), path, 'CA certificates');
  if (signing === undefined) throw new KickError('pki', `make a token: there is no certificate in "${path}"`);
  if (!existsSync(certificateOf(here))) return signing;
  const shown = new X509Certificate(readPem(certificateOf(here), 'certificate'));
  return others.find((one) => shown.checkIssued(one)) ?? signing;
}

async function cancel(name: string, dir: string, { terminal }: Pick<PkiTools, 'terminal'>): Promise<void> {
  if (!(await openEnrolments(dir, { clock: systemClock }).cancel(name))) {
    throw new KickError('pki', `take a token back: "${name}" has none`, { hint: 'see: kick pki tokens' });
  }
  terminal.out(`Took the token of ${name} back\n`);
}

export function addTokens({ terminal, add, pkiDirOf }: PkiTools): void {
  add('tokens')
    .description('list the tokens that can be used')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .action(async ({ format }: { format: string }, command) => {
      const tokens = await openEnrolments(pkiDirOf(command), { clock: systemClock }).open();
      if (oneOf('--format', format, ['human', 'json']) === 'json') {
        const shown = tokens.map(({ name, role, days, replace, endsAt }) => ({
          ...{ name, role, days, replace },
          endsAt: isoTime(endsAt),
        }));
        terminal.out(`${safeJson(shown, 2)}\n`);
        return;
      }
      for (const { name, role, replace, endsAt } of tokens) {
        terminal.out(`${name}  ${role}  until ${dateTime(endsAt)}${replace ? '  replaces' : ''}\n`);
      }
      if (tokens.length === 0) terminal.err('No tokens: kick pki token NAME\n');
    });
}
