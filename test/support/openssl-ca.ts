/** Certificates and CRLs as odd as OpenSSL makes them, and its verdicts on them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp.ts';

export interface Made {
  /** Unique; of its files. */
  id: string;
  name: string;
  pem: string;
  issuer: Made | undefined;
  serial: number;
}

export interface HowMade {
  issuer?: Made;
  /** The common name. */
  name?: string;
  /** Lines of extensions, as in x509v3_config(5). */
  extensions?: readonly string[];
  days?: number;
  /** For `openssl genpkey`. */
  key?: readonly string[];
}

const P256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export function opensslCa() {
  const folder = tempFolder();
  let serials = 1;
  const file = (id: string, what: string) => join(folder, `${id}.${what}`);
  const run = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });

  return {
    certificate(
      id: string,
      { issuer, name = id, extensions = [], days = 30, key = P256 }: HowMade = {},
    ): Made {
      serials += 1;
      writeFileSync(file(id, 'ext'), extensions.join('\n'));
      run('genpkey', ...key, '-out', file(id, 'key'));
      run('req', '-new', '-key', file(id, 'key'), '-subj', `/CN=${name}`, '-out', file(id, 'csr'));
      const signer =
        issuer === undefined
          ? ['-signkey', file(id, 'key')]
          : ['-CA', file(issuer.id, 'pem'), '-CAkey', file(issuer.id, 'key')];
      const words = ['-req', '-in', file(id, 'csr'), '-set_serial', String(serials), '-days', String(days)];
      run('x509', ...words, ...signer, '-sha256', '-extfile', file(id, 'ext'), '-out', file(id, 'pem'));
      return { id, name, pem: readFileSync(file(id, 'pem'), 'latin1'), issuer, serial: serials };
    },

    /** Valid `from` a day `to` another, counted from now. */
    crl(
      of: Made,
      { revoked = [], from = 0, to = 20 }: { revoked?: readonly Made[]; from?: number; to?: number } = {},
    ): string {
      serials += 1;
      const own = file(`crl${serials}`, 'ca');
      mkdirSync(own);
      const lines = revoked.map(({ serial, name }) => {
        const hex = serial.toString(16).toUpperCase().padStart(2, '0');
        return `R\t400101000000Z\t260101000000Z\t${hex}\tunknown\t/CN=${name}\n`;
      });
      writeFileSync(join(own, 'index.txt'), lines.join(''));
      writeFileSync(join(own, 'number'), '01\n');
      writeFileSync(
        join(own, 'conf'),
        `[ca]\ndefault_ca = d\n[d]\ndatabase = ${own}/index.txt\ncrlnumber = ${own}/number\ndefault_md = sha256\n`,
      );
      const signer = ['-cert', file(of.id, 'pem'), '-keyfile', file(of.id, 'key')];
      const at = (days: number) =>
        new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
      const times = ['-crl_lastupdate', at(from), '-crl_nextupdate', at(to)];
      run('ca', '-gencrl', '-config', join(own, 'conf'), ...signer, ...times, '-out', join(own, 'crl'));
      return readFileSync(join(own, 'crl'), 'latin1');
    },
    verdict: (judged: Judged) => verdict(folder, judged),
  };
}

export interface Judged {
  trust: readonly Made[];
  chain: readonly Made[];
  crls: readonly string[];
  use: 'clientAuth' | 'serverAuth';
  /** Milliseconds since 1970. */
  now: number;
}

/** Undefined if OpenSSL believes the first of the chain; otherwise its words. */
function verdict(folder: string, { trust, chain, crls, use, now }: Judged): string | undefined {
  const [leaf, ...more] = chain.map(({ pem }) => pem);
  const write = (what: string, texts: readonly string[]) => {
    const path = join(folder, `judged.${what}`);
    writeFileSync(path, texts.join(''));
    return path;
  };
  const words = [
    ...['verify', '-crl_check_all', '-auth_level', '2', '-attime', String(Math.floor(now / 1000))],
    ...['-purpose', use === 'clientAuth' ? 'sslclient' : 'sslserver', '-no-CApath', '-no-CAstore'],
    ...[
      '-CAfile',
      write(
        'trust',
        trust.map(({ pem }) => pem),
      ),
    ],
    ...(more.length === 0 ? [] : ['-untrusted', write('more', more)]),
    ...(crls.length === 0 ? [] : ['-CRLfile', write('crls', crls)]),
    write('leaf', [leaf ?? '']),
  ];
  const { status, stderr } = spawnSync('openssl', words, { encoding: 'utf8' });
  return status === 0 ? undefined : (/error \d+ at .*lookup: *(.*)/.exec(stderr)?.[1] ?? stderr);
}

export type OpensslCa = ReturnType<typeof opensslCa>;
