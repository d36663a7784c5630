/** Whether what answers is the server that was meant, in the words of who typed `--server`. */
import { X509Certificate } from 'node:crypto';
import { KickError } from '../errors.ts';
import type { DenyList } from '../pki/identity.ts';
import { isHostName } from '../protocol/names.ts';
import { checkDenied, checkServerName, type SpelledOut } from '../transport/https/client/server-name.ts';
import { DEFAULT_PORT, type ServerAddress } from './wire.ts';

/** Returns what is wrong, or undefined. `certificate`: one that our CA has signed. */
export function refuseServer(
  server: ServerAddress,
  certificate: SpelledOut,
  denied: DenyList | undefined,
): Error | undefined {
  const wrong = checkServerName(server.host, certificate);
  if (wrong === undefined) return checkDenied(certificate, denied);
  const { raw, subject } = certificate;
  const name: unknown = subject?.CN;
  // Certnames may have spaces and semicolons: only what --server takes is something to type.
  if (raw === undefined || typeof name !== 'string' || !isHostName(name)) return wrong;
  const expected = name === server.host ? '' : `; "${server.host}" was expected`;
  return new KickError('pki', `${wrong.message}${dnsNamesOf(raw, name)}${expected}`, {
    hint: name === server.host ? `have a new one made there: kick pki issue ${name}` : nameHint(name, server),
    cause: wrong,
  });
}

/** Any host of our CA may stand between: who it is remains for the operator to judge. */
function nameHint(name: string, { port }: ServerAddress): string {
  const address = port === DEFAULT_PORT ? name : `${name}:${port}`;
  return `if "${name}" is the host of the CA: --server ${address}, a name that must resolve here (DNS, /etc/hosts); otherwise another host answers there`;
}

/** Unless they are what everybody expects. */
function dnsNamesOf(raw: Uint8Array, name: string): string {
  const names = new X509Certificate(raw).subjectAltName;
  return names === `DNS:${name}` ? '' : ` (${names ?? 'it has no DNS names'})`;
}
