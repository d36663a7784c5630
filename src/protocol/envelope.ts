/**
 * DESIGN 5: a request on the wire, a flattened JWS (RFC 7515 7.2.2), and the steps of opening it, which
 * agent/admission/admit.ts puts in order. seal.ts makes it.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
// Not from 'jose' itself: all of it costs 7 MB in a resident agent and 25 ms in every kick.
import { JOSEError } from 'jose/errors';
import { flattenedVerify } from 'jose/jws/flattened/verify';
import * as v from 'valibot';
import { text } from '../util/bounds.ts';
import { JsonError, parseStrictJson } from '../util/json.ts';
import { boundedArray, formatProblems, problemsOf } from '../util/schema.ts';
import { clip } from '../util/text.ts';
import { ALGORITHMS, type Algorithm, algorithmFor, TYPES, type Type } from './algorithm.ts';
import { Refusal } from './refusal.ts';
import { MAX_REQUEST_BYTES, type Request, RequestSchema } from './request.ts';

/** The three parts, decoded but not yet trusted. */
export interface Envelope {
  readonly parts: { protected: string; payload: string; signature: string };
  readonly algorithm: Algorithm;
  /** The certificate that claims to have signed, DER. */
  readonly leaf: Uint8Array;
  /** What stands behind it in the header: intermediates, DER. */
  readonly intermediates: readonly Uint8Array[];
}

const EMPTY = new Uint8Array(0);

const Base64urlSchema = v.pipe(text(MAX_REQUEST_BYTES), v.regex(/^[A-Za-z0-9_-]+$/, 'not base64url'));
const EnvelopeSchema = v.strictObject({
  protected: Base64urlSchema,
  payload: Base64urlSchema,
  signature: Base64urlSchema,
});
const HeaderSchema = v.strictObject({
  alg: v.picklist(ALGORITHMS),
  typ: v.picklist(Object.values(TYPES)),
  x5c: v.pipe(
    boundedArray(v.pipe(text(MAX_REQUEST_BYTES), v.regex(/^[A-Za-z0-9+/]+={0,2}$/, 'not base64')), 4),
    v.minLength(1),
  ),
});

/** Step 1, size: limits the work of the following steps. */
export function checkSize(body: Uint8Array): void {
  if (body.byteLength > MAX_REQUEST_BYTES) {
    throw new Refusal('too-large', `${body.byteLength} bytes`);
  }
}

/** Step 2, form: strict JSON, strict base64url, UTF-8, exactly the known header keys, and the type that is expected. */
export function decodeEnvelope(body: Uint8Array, typ: Type = TYPES.request): Envelope {
  const parts = check(EnvelopeSchema, strictJson(body), 'envelope');
  const header = check(HeaderSchema, strictJson(strictBase64(parts.protected, 'base64url')), 'header');
  if (header.typ !== typ) throw new Refusal('malformed', `header: a "${header.typ}", not a "${typ}"`);
  strictBase64(parts.payload, 'base64url');
  strictBase64(parts.signature, 'base64url');
  const [leaf = EMPTY, ...intermediates] = header.x5c.map((one) => strictBase64(one, 'base64'));
  return { parts, algorithm: header.alg, leaf, intermediates };
}

/** The certificate in the envelope, parsed; throws `Refusal` `malformed`. */
export function leafOf(envelope: Envelope): X509Certificate {
  try {
    return new X509Certificate(envelope.leaf);
  } catch {
    throw new Refusal('malformed', 'x5c: the first entry is not a certificate');
  }
}

/** Step 4, signature: by the leaf's key and the one algorithm for it. Returns the verified payload. */
export async function verifySignature(envelope: Envelope, leaf: X509Certificate): Promise<Uint8Array> {
  const key = keyOf(leaf);
  const alg = algorithmFor(key);
  if (alg === undefined || alg !== envelope.algorithm) {
    throw new Refusal('signature', `algorithm "${envelope.algorithm}" does not fit the certificate's key`);
  }
  try {
    const { payload } = await flattenedVerify(envelope.parts, key, { algorithms: [alg] });
    return payload;
  } catch (error) {
    if (error instanceof JOSEError) throw new Refusal('signature', error.message);
    throw error;
  }
}

/** Node reads it only here: a certificate may be one around a key that is none. */
function keyOf(leaf: X509Certificate): KeyObject {
  try {
    return leaf.publicKey;
  } catch {
    throw new Refusal('signature', "the certificate's key cannot be read");
  }
}

/** Step 5, schema: of the verified bytes and no others. */
export function parseRequest(payload: Uint8Array, version: string): Request {
  const value = strictJson(payload);
  const parsed = v.safeParse(RequestSchema, value);
  if (parsed.success) return parsed.output;
  const detail = formatProblems(problemsOf(parsed.issues));
  const unknown = newerParts(parsed.issues);
  // From a newer controller rather than broken.
  if (unknown !== undefined) throw new Refusal('unsupported', detail, { version, unknown });
  throw new Refusal('malformed', detail, { version });
}

/** What only a newer controller can mean: `action.op`, `queue.wait`, `v`; undefined if anything is wrong beside it. */
function newerParts(issues: readonly v.BaseIssue<unknown>[]): string[] | undefined {
  const path = (issue: v.BaseIssue<unknown>) =>
    clip((issue.path ?? []).map(({ key }) => String(key)).join('.'), 64);
  const version = issues.find((issue) => path(issue) === 'v');
  // What else there is to a request of another version is unknown.
  if (version !== undefined) return isNewer(version.input) ? ['v'] : undefined;
  return issues.every((issue) => isUnknownKey(issue) || isUnknownOperation(issue))
    ? issues.map(path)
    : undefined;
}

const isNewer = (version: unknown) => typeof version === 'number' && version > 1;

const isUnknownKey = ({ type, expected }: v.BaseIssue<unknown>) =>
  type === 'strict_object' && expected === 'never';

const isUnknownOperation = ({ type, input, path }: v.BaseIssue<unknown>) =>
  type === 'variant' && path?.[1]?.key === 'op' && typeof input === 'string' && input.length <= 64;

function check<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) {
    throw new Refusal('malformed', `${what}: ${formatProblems(problemsOf(parsed.issues))}`);
  }
  return parsed.output;
}

function strictJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: MAX_REQUEST_BYTES });
  } catch (error) {
    if (error instanceof JsonError) throw new Refusal('malformed', error.message);
    throw error;
  }
}

/** Decodes, and requires that encoding again yields the same text: no stray bits, no alternative encoding. */
function strictBase64(text: string, encoding: 'base64' | 'base64url'): Buffer {
  const bytes = Buffer.from(text, encoding);
  if (bytes.toString(encoding) !== text) throw new Refusal('malformed', `not strict ${encoding}`);
  return bytes;
}
