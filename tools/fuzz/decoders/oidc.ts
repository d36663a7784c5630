/** What a provider of OpenID Connect answers, and what a browser brings back from it. */
import type { OidcConfig } from '../../../src/config/controller-config.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { ApiProblem } from '../../../src/web/api/problem.ts';
import { openOidc } from '../../../src/web/server/access/oidc.ts';
import { type Decoder, isOf, type Sample, textSample, within } from './decoder.ts';
import { AT } from './samples.ts';

export const ISSUER = 'https://id.example.com';

export const PROVIDER: OidcConfig = {
  ...{ issuer: ISSUER, client_id: 'kick', scope: 'openid profile' },
  ...{ name_claim: 'preferred_username', groups_claim: 'groups' },
  groups: [
    { name: 'ops', role: 'operator', max_hosts: 5 },
    { name: 'all', role: 'viewer' },
  ],
};

const DISCOVERY = {
  ...{ issuer: ISSUER, authorization_endpoint: `${ISSUER}/authorize?a=b`, token_endpoint: `${ISSUER}/token` },
  ...{ jwks_uri: `${ISSUER}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'] },
  ...{ id_token_signing_alg_values_supported: ['RS256', 'EdDSA'], scopes_supported: ['openid'] },
  mtls_endpoint_aliases: { token_endpoint: `${ISSUER}/mtls/token` },
  authorization_response_iss_parameter_supported: true,
};

/** Both are made anew for each sign-in; in what comes back they stand for what they are now. */
const [NONCE, STATE] = ['of-this-sign-in', 'of-this-browser'];
const ID_TOKEN = 'the-id-token';

const TOKEN = {
  ...{ access_token: 'x', token_type: 'Bearer', expires_in: 300, scope: 'openid', refresh_token: 'y' },
  id_token: ID_TOKEN,
};
const HEADER = { alg: 'RS256', typ: 'JWT', kid: '1' };
const CLAIMS = {
  ...{
    iss: ISSUER,
    sub: '4711',
    aud: ['kick'],
    azp: 'kick',
    iat: AT / 1000,
    exp: 4_102_444_800,
    nonce: NONCE,
  },
  ...{ auth_time: AT / 1000, preferred_username: 'Alice', groups: ['all', 'ops'], email_verified: true },
};
const QUERY = `?code=abc&state=${STATE}&iss=${encodeURIComponent(ISSUER)}&session_state=x`;

/** What a sign-in reads, part by part; the input replaces one of them. */
const PARTS = {
  discovery: JSON.stringify(DISCOVERY),
  token: JSON.stringify(TOKEN),
  header: JSON.stringify(HEADER),
  claims: JSON.stringify(CLAIMS),
  query: QUERY,
};
type Part = keyof typeof PARTS;

const behind = (part: Part) => (inner: Uint8Array) => Buffer.concat([Buffer.from(`${part}\n`), inner]);

/** The first line says which part of a sign-in stands behind it. */
const signIn: Decoder = {
  name: 'oidc',
  about:
    'metadata, tokens, claims, and the way back: kick serve, of a provider of OpenID Connect and of browsers',
  open: () => ({
    samples: [
      within(DISCOVERY, behind('discovery')),
      within(TOKEN, behind('token')),
      within(HEADER, behind('header')),
      within(CLAIMS, behind('claims')),
      { ...textSample(QUERY), wrap: behind('query') } satisfies Sample,
    ],
    decode(input) {
      const end = Math.max(0, input.indexOf(10));
      const name = input.toString('latin1', 0, end);
      const part = Object.hasOwn(PARTS, name) ? name : 'claims';
      return signedIn({ ...PARTS, [part]: input.subarray(end + 1) });
    },
    isDeclared: isOf(ApiProblem),
    words: ['&', '=', '%00', '%zz', '+', 'code', 'state', 'iss', 'error=x', 'response=', STATE, '#'],
  }),
};

async function signedIn(parts: Readonly<Record<Part, string | Uint8Array>>): Promise<unknown> {
  const oidc = openOidc(PROVIDER, { url: 'https://kick.example.com', clock });
  const { fetch } = globalThis;
  let nonce = '';
  globalThis.fetch = async (asked) => {
    const isDiscovery = String(asked).includes('/.well-known/');
    const body = isDiscovery ? parts.discovery : tokenOf(parts, nonce);
    return new Response(Buffer.from(body), { headers: { 'content-type': 'application/json' } });
  };
  try {
    const { location, state } = await oidc.begin();
    nonce = new URL(location).searchParams.get('nonce') ?? '';
    return await oidc.finish(Buffer.from(parts.query).toString('latin1').replaceAll(STATE, state), state);
  } finally {
    globalThis.fetch = fetch;
  }
}

function tokenOf({ token, header, claims }: Record<Part, string | Uint8Array>, nonce: string): Buffer {
  const parts = [header, replaced(claims, NONCE, nonce), 'signature'];
  const idToken = parts.map((one) => Buffer.from(one).toString('base64url')).join('.');
  return replaced(token, ID_TOKEN, idToken);
}

/** Byte by byte: an input need not be UTF-8. */
const replaced = (where: string | Uint8Array, what: string, by: string): Buffer =>
  Buffer.from(Buffer.from(where).toString('latin1').replaceAll(what, by), 'latin1');

export const OIDC: readonly Decoder[] = [signIn];
