/** Certificates, CRLs and what is written beside them. */
import type { X509Certificate } from 'node:crypto';
import { signedIn } from '../../../src/controller/revoked-names.ts';
import { KickError } from '../../../src/errors.ts';
import { readIndex, writeIndex } from '../../../src/pki/authority-index.ts';
import { extensionsOf, isSignedSafely, subjectOf } from '../../../src/pki/certificate-fields.ts';
import { crlsOf } from '../../../src/pki/chain-crls.ts';
import { checkCrls, checkNotRevoked } from '../../../src/pki/check-crls.ts';
import { readCrl, splitCrls } from '../../../src/pki/crl.ts';
import { parseDenyList } from '../../../src/pki/deny-list.ts';
import { childrenOf, commonNameOf, DerError, isPuppetAdministrator, TAG } from '../../../src/pki/der.ts';
import { privateKey, readCertificates } from '../../../src/pki/identity-files.ts';
import { ChainError, chainVerifier } from '../../../src/pki/peer-chain.ts';
import { type Decoder, isOf, json, type Sample, textSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { fixedCa } from './fixed-ca.ts';
import { element } from './mutate-der.ts';
import { AGENT, AT } from './samples.ts';

const derOf = (pem: string) => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');

const pemOf = (label: string) => (der: Uint8Array) =>
  Buffer.from(`-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`);

const leaves = () => [fixedCa().agent.raw, fixedCa().controller.raw];
const authorities = () => readCertificates(fixedCa().certificates, 'x', 'x');
const all = () => [...leaves(), ...authorities().map(({ raw }) => raw)];

const certificate: Decoder = {
  name: 'certificate',
  about: 'fields of a certificate (DER): both sides, of whoever connects',
  open: () => ({
    samples: all().map((bytes): Sample => ({ shape: 'der', bytes })),
    decode(input) {
      const fields = [commonNameOf, isPuppetAdministrator, extensionsOf].map((read) =>
        said<unknown>(() => read(input)),
      );
      const raw = { raw: input } as X509Certificate;
      return [
        ...fields,
        said(() => subjectOf(raw)),
        said(() => subjectOf(raw, 'issuer')),
        said(() => isSignedSafely(raw)),
      ];
    },
  }),
};

/** What it says, or what stands against it: one field says nothing of the next. */
function said<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError || isIdentity(error)) return error.message;
    throw error;
  }
}

const isIdentity = (error: unknown): error is KickError =>
  error instanceof KickError && error.code === 'identity';

/** Where nobody expects a `DerError` any more. */
function asLoaded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DerError) throw new Error('an error that is not declared here', { cause: error });
    throw error;
  }
}

const crl: Decoder = {
  name: 'crl',
  about: 'a bundle of CRLs (PEM): both sides, of the CA',
  open() {
    const { crls: pem } = fixedCa();
    const trusted = authorities();
    const paths = { key: 'key', certificate: 'cert', ca: 'ca', crl: 'crl' };
    return {
      samples: [
        textSample(pem),
        // Beside the other one, without which none is looked at.
        ...splitCrls(pem).map((one): Sample => {
          const wrap = (der: Uint8Array) =>
            Buffer.concat([pemOf('X509 CRL')(der), Buffer.from(pem.replace(one, ''))]);
          return { shape: 'der', bytes: derOf(one), wrap };
        }),
      ],
      decode(input) {
        const pems = splitCrls(input.toString('latin1'));
        const checked = said(() => {
          const checked = checkCrls(pems, trusted, { paths, now: AT });
          checkNotRevoked(fixedCa().agent, checked, paths);
          return checked;
        });
        const lengths = pems.map((one) => readCrl(one).revoked.length);
        const believed = asLoaded(() => crlsOf(pems, trusted)).map(({ revoked, nextUpdate }) => ({
          revoked: [...revoked],
          nextUpdate,
        }));
        return [checked, believed, lengths];
      },
      isDeclared: isOf(DerError),
    };
  },
};

const chain: Decoder = {
  name: 'chain',
  about: 'certificates that are to lead to our CA: both sides, of a broker',
  open() {
    const denied = parseDenyList(`serial:0c\n`, 'load the list');
    const verifier = chainVerifier({ ca: authorities(), crls: splitCrls(fixedCa().crls), denied });
    const [agent, controller, ...above] = all();
    const chains = [[agent], [agent, ...above], [controller, ...above]].map((one) =>
      one.flatMap((der) => der ?? []),
    );
    const inSequence = (ders: readonly Uint8Array[]): Sample => ({
      shape: 'der',
      bytes: element(TAG.sequence, Buffer.concat(ders)),
    });
    return {
      samples: [
        ...chains.map(inSequence),
        // What our CA has signed, whatever it is.
        ...leaves().map((leaf): Sample => {
          const [tbs] = childrenOf(leaf, TAG.sequence);
          const wrap = (inner: Uint8Array) => element(TAG.sequence, fixedCa().sign(inner));
          return { shape: 'der', bytes: tbs?.whole ?? leaf, wrap };
        }),
      ],
      decode(input) {
        const ders = childrenOf(input, TAG.sequence).map(({ whole }) => whole);
        return asLoaded(() => verifier.verify(ders, { now: AT, use: 'clientAuth' })).subject;
      },
      // The sequence around them is our own.
      isDeclared: isOf(ChainError, DerError),
    };
  },
};

const pem: Decoder = {
  name: 'pem',
  about: 'files of certificates and keys (PEM): both sides, of the CA or an operator',
  open() {
    const { certificates, agent, key } = fixedCa();
    const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    return {
      samples: [
        textSample(agent.toString() + certificates),
        textSample(keyPem),
        ...all().map((bytes): Sample => ({ shape: 'der', bytes, wrap: pemOf('CERTIFICATE') })),
      ],
      decode(input) {
        const text = input.toString('latin1');
        if (text.includes('PRIVATE KEY')) return privateKey(text, 'key').asymmetricKeyType;
        return readCertificates(text, 'certificates', 'certificates').map(({ subject }) => subject);
      },
      isDeclared: isIdentity,
    };
  },
};

const denied: Decoder = {
  name: 'deny-list',
  about: 'certificates that are denied here: an operator',
  open() {
    const { raw, serialNumber, fingerprint256 } = fixedCa().agent;
    return {
      samples: [textSample(`# denied\n${AGENT}\nserial:${serialNumber}\nsha256:${fingerprint256} # why\n`)],
      decode: (input) => parseDenyList(input.toString('utf8'), 'load the list').denies(raw),
      isDeclared: isIdentity,
      words: ['serial:', 'sha256:', 'ff:', '#'],
    };
  },
};

const index: Decoder = {
  name: 'ca-index',
  about: 'what our CA has issued: the controller, of its own file',
  async open(folder) {
    const file = fileReader(folder, 'ca/index.json');
    const entry = { name: AGENT, role: 'agent', serial: '01AB', notAfter: AT, revokedAt: AT } as const;
    const value = { subject: ['Kick CA'], crlNumber: 3, certificates: [entry] };
    await writeIndex(folder, value);
    return {
      samples: [json(value)],
      decode: (input) => file.read(input, () => readIndex(folder)),
      isDeclared: (error) => error instanceof KickError && error.code === 'pki',
      encode: (read) => Buffer.from(JSON.stringify(read)),
    };
  },
};

const inventory: Decoder = {
  name: 'ca-inventory',
  about: "what Puppet's CA has signed (inventory.txt): the controller",
  open: () => ({
    samples: [
      textSample(
        `0x000a 2026-01-01T00:00:00UTC 2031-01-01T00:00:00UTC /CN=${AGENT}\n0x0c x 2031-01-01T00:00:00UTC /CN=b\n`,
      ),
    ],
    decode: (input) => signedIn(input.toString('utf8'), new Set([12n])),
    words: ['0x', 'UTC ', '/CN=', 'ffffffff', '-'],
  }),
};

export const PKI: readonly Decoder[] = [certificate, crl, chain, pem, denied, index, inventory];
