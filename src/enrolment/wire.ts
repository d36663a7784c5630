/** What travels between a node and `kick pki serve`: routes, bodies, and the proof that a node has the key. */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as v from 'valibot';
import { CertnameSchema } from '../protocol/names.ts';
import { matching, text } from '../util/bounds.ts';

export const DEFAULT_PORT = 8141;

export interface ServerAddress {
  /** Its certname as well: the name in its certificate. */
  host: string;
  port: number;
}

export const ROUTES = {
  ca: '/v1/ca',
  crl: '/v1/crl',
  certificate: '/v1/certificate',
  renewal: '/v1/renewal',
} as const;

export const JSON_TYPE = 'application/json';
export const PEM_TYPE = 'application/x-pem-file';

/** Bytes of what a node sends. */
export const MAX_BODY_BYTES = 4096;
/** Bytes of what it is answered. */
export const MAX_ANSWER_BYTES = 65_536;
/** Of every revoked certificate there is a line. */
export const MAX_CRL_BYTES = 16 << 20;

export const FirstSchema = v.strictObject({
  id: matching(/^[\w-]{22}$/, 'not the id of a token'),
  secret: matching(/^[\w-]{43}$/, 'not the secret of a token'),
  name: CertnameSchema,
  /** The public key: SPKI, DER, base64. */
  key: matching(/^[A-Za-z0-9+/]{100,200}={0,2}$/, 'not a key in base64'),
  proof: matching(/^[A-Za-z0-9+/]{64,200}={0,2}$/, 'not a signature in base64'),
});

export type FirstRequest = v.InferOutput<typeof FirstSchema>;

export const AnswerSchema = v.object({ certificate: text(MAX_ANSWER_BYTES) });
export const RefusalSchema = v.object({ error: text(64) });

/** What a new key signs: nothing else that is signed with it begins like this. */
const CONTEXT = 'kick enrolment, proof of possession, version 1';

function statement({ id, name }: Pick<FirstRequest, 'id' | 'name'>, spki: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${CONTEXT}\0${id}\0${name}\0`), spki]);
}

/** `key`: the private one. */
export function firstRequest(
  { id, secret, name }: Pick<FirstRequest, 'id' | 'secret' | 'name'>,
  key: KeyObject,
): FirstRequest {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const proof = sign('sha256', statement({ id, name }, spki), key).toString('base64');
  return { id, secret, name, key: spki.toString('base64'), proof };
}

/** The public key of a request; undefined unless it is P-256, spelled in the one way, and has signed this request. */
export function provenKey(request: FirstRequest): KeyObject | undefined {
  const spki = Buffer.from(request.key, 'base64');
  const key = publicKey(spki);
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  if (!key.export({ type: 'spki', format: 'der' }).equals(spki)) return undefined;
  const isOwn = verify('sha256', statement(request, spki), key, Buffer.from(request.proof, 'base64'));
  return isOwn ? key : undefined;
}

function publicKey(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
