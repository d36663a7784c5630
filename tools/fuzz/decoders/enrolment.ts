/** What a node and `kick pki serve` say to each other, and what each keeps. */
import * as v from 'valibot';
import {
  checkedCas,
  checkedCertificate,
  checkedCrls,
  pinnedCa,
} from '../../../src/enrolment/check-answer.ts';
import { ENROLMENT_FILE } from '../../../src/enrolment/enrolment-file.ts';
import { readServer } from '../../../src/enrolment/node-place.ts';
import { formatToken, parseToken } from '../../../src/enrolment/token.ts';
import { FirstSchema, firstRequest, MAX_BODY_BYTES, provenKey } from '../../../src/enrolment/wire.ts';
import { authorityPaths } from '../../../src/pki/authority-index.ts';
import { splitCrls } from '../../../src/pki/crl.ts';
import { readOpenTokens } from '../../../src/pki/enrolment-tokens.ts';
import { readCertificates } from '../../../src/pki/identity-files.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { JsonError, parseJson } from '../../../src/util/json.ts';
import { type Decoder, isKick, isOf, json, type Sample, textSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { fixedCa } from './fixed-ca.ts';
import { fixedP256 } from './fixed-keys.ts';
import { AGENT, AT } from './samples.ts';
import { storedSamples } from './stored.ts';

const pemOf = (label: string, der: Uint8Array) =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;

const derOf = (pem: string) => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');

const ID = 'i'.repeat(22);
const SECRET = 's'.repeat(43);

const request: Decoder = {
  name: 'enrol-request',
  about: 'a token and a key that is to be certified: kick pki serve, of anybody',
  open() {
    const body = firstRequest({ id: ID, secret: SECRET, name: AGENT }, fixedP256('agent'));
    const spki = Buffer.from(body.key, 'base64');
    const withKey = (der: Uint8Array) =>
      Buffer.from(JSON.stringify({ ...body, key: Buffer.from(der).toString('base64') }));
    const withProof = (der: Uint8Array) =>
      Buffer.from(JSON.stringify({ ...body, proof: Buffer.from(der).toString('base64') }));
    return {
      samples: [
        json(body),
        { shape: 'der', bytes: spki, wrap: withKey },
        { shape: 'der', bytes: Buffer.from(body.proof, 'base64'), wrap: withProof },
      ],
      decode: (input) =>
        provenKey(v.parse(FirstSchema, parseJson(input, { maxBytes: MAX_BODY_BYTES, maxDepth: 1 })))
          ?.asymmetricKeyType,
      isDeclared: isOf(JsonError, v.ValiError),
      maxBytes: MAX_BODY_BYTES,
    };
  },
};

const answer: Decoder = {
  name: 'enrol-answer',
  about: 'a certificate that comes back: the node, of whatever is at the address',
  open() {
    const { agent, certificates, crls: pem } = fixedCa();
    const [above, ...more] = readCertificates(certificates, 'x', 'x');
    const ca = above === undefined ? [] : [above, ...more];
    const expected = { ca, crls: splitCrls(pem), name: AGENT, key: fixedP256('agent'), now: AT };
    const inAnswer = (der: Uint8Array) =>
      Buffer.from(JSON.stringify({ certificate: pemOf('CERTIFICATE', der) }));
    return {
      samples: [json({ certificate: agent.toString() }), { shape: 'der', bytes: agent.raw, wrap: inAnswer }],
      decode(input) {
        return checkedCertificate(input, expected);
      },
      isDeclared: isKick('pki'),
    };
  },
};

const crl: Decoder = {
  name: 'enrol-crl',
  about: 'CRLs that come back: the node, of whatever is at the address',
  open() {
    const { certificates, crls } = fixedCa();
    const ca = readCertificates(certificates, 'x', 'x');
    const [own = '', root = ''] = splitCrls(crls);
    return {
      samples: [
        textSample(crls),
        {
          shape: 'der',
          bytes: derOf(root),
          wrap: (der) => Buffer.from(own + pemOf('X509 CRL', der)),
        } satisfies Sample,
      ],
      decode: (input) => [checkedCrls(input, { ca, now: AT, before: input.toString('latin1') })],
      isDeclared: isKick('pki'),
    };
  },
};

const cas: Decoder = {
  name: 'enrol-cas',
  about: 'CAs that come back: the node, of whatever is at the address',
  open() {
    const { agent, certificates } = fixedCa();
    const [above, root] = readCertificates(certificates, 'x', 'x');
    if (above === undefined || root === undefined) throw new Error('a CA below a root');
    return {
      samples: [
        textSample(root.toString()),
        textSample(certificates),
        {
          shape: 'der',
          bytes: root.raw,
          wrap: (der) => Buffer.from(pemOf('CERTIFICATE', der)),
        } satisfies Sample,
      ],
      decode(input) {
        try {
          return pinnedCa(input, root.fingerprint256.replaceAll(':', '').toLowerCase()).serialNumber;
        } catch (error) {
          if (!isKick('pki')(error)) throw error;
        }
        return checkedCas(input, { keep: agent, now: AT }).length;
      },
      isDeclared: isKick('pki'),
    };
  },
};

const token: Decoder = {
  name: 'enrol-token',
  about: 'a token: the node, of an operator',
  open: () => ({
    samples: [textSample(`${formatToken({ id: ID, secret: SECRET, fingerprint: 'ab'.repeat(32) })}\n`)],
    decode: (input) => parseToken(input.toString('utf8')),
    isDeclared: isKick('input'),
    words: ['kick1.', '.', '-', '_'],
  }),
};

const TOKEN = {
  id: ID,
  hash: 'a'.repeat(64),
  name: AGENT,
  role: 'agent',
  days: 90,
  replace: true,
  endsAt: AT * 2,
};

const tokens: Decoder = {
  name: 'enrol-tokens',
  about: 'open tokens: our CA, of its own file',
  open(folder) {
    const paths = authorityPaths(folder);
    const file = fileReader(folder, paths.tokens.slice(folder.length + 1));
    return {
      samples: storedSamples([{ tokens: [TOKEN] }], { version: 1 }),
      decode: (input) => file.read(input, () => readOpenTokens({ dir: folder, paths, clock })),
      isDeclared: isKick('pki'),
    };
  },
};

const server: Decoder = {
  name: 'enrol-server',
  about: 'where a certificate is renewed: the node, of its own file',
  open(folder) {
    const file = fileReader(folder, ENROLMENT_FILE);
    return {
      samples: storedSamples([{ host: 'puppet.example.com', port: 8141 }], { version: 1 }),
      decode: (input) => file.read(input, () => readServer({ dir: folder })),
      isDeclared: isKick('pki'),
    };
  },
};

export const ENROLMENT: readonly Decoder[] = [request, answer, crl, cas, token, tokens, server];
