/**
 * Signing in at a provider of OpenID Connect: authorization code with PKCE, state and nonce. What has begun is kept here,
 * and bound to the browser by a cookie, so that nobody can be signed in as somebody else.
 */
import type { Configuration } from 'openid-client';
import type { OidcConfig } from '../../../config/controller-config.ts';
import { KickError, messageOf } from '../../../errors.ts';
import type { Clock } from '../../../util/clock.ts';
import { ApiProblem } from '../../api/problem.ts';
import { type Grant, grantOf } from './grants.ts';
import { readSecret } from './secret-file.ts';

/** Milliseconds from leaving to coming back; how many may be under way. */
const WITHIN_MS = 600_000;
const MAX_OPEN = 1000;

export const CALLBACK = '/auth/oidc/callback';

export interface Oidc {
  /** Where the browser goes, and what its cookie is to hold. */
  begin(): Promise<{ location: string; state: string }>;
  /** Who came back. `query` is what follows the `?`. Throws `ApiProblem`. */
  finish(query: string, state: string | undefined): Promise<{ name: string; grant: Grant }>;
}

interface Begun {
  at: number;
  verifier: string;
  nonce: string;
}

/** `url`: what browsers call this server. */
export function openOidc(config: OidcConfig, { url, clock }: { url: string; clock: Clock }): Oidc {
  const begun = new Map<string, Begun>();
  const redirect = new URL(CALLBACK, url);
  let provider: Promise<Configuration> | undefined;

  /** Asked again after it has failed. */
  async function discovered(): Promise<Configuration> {
    provider ??= discover(config);
    try {
      return await provider;
    } catch (error) {
      provider = undefined;
      throw error instanceof KickError ? error : unreachable(config, error);
    }
  }

  function forgetOld(): void {
    for (const [state, { at }] of begun) {
      if (begun.size < MAX_OPEN && clock.monotonic() - at < WITHIN_MS) return;
      begun.delete(state);
    }
  }

  return {
    async begin() {
      const client = await import('openid-client');
      const there = await discovered();
      const [verifier, state, nonce] = [
        client.randomPKCECodeVerifier(),
        client.randomState(),
        client.randomNonce(),
      ];
      forgetOld();
      begun.set(state, { at: clock.monotonic(), verifier, nonce });
      const location = client.buildAuthorizationUrl(there, {
        ...{ redirect_uri: redirect.href, scope: config.scope, state, nonce },
        ...{
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        },
      });
      return { location: location.href, state };
    },
    async finish(query, state) {
      forgetOld();
      const known = state === undefined ? undefined : begun.get(state);
      if (state === undefined || known === undefined) throw refused('it did not begin here, or too long ago');
      begun.delete(state);
      const client = await import('openid-client');
      const current = new URL(redirect);
      current.search = query;
      const there = await discovered();
      const tokens = await client
        .authorizationCodeGrant(there, current, checksOf(state, known))
        .catch((error: unknown) => Promise.reject(refused(messageOf(error))));
      return personOf(tokens.claims() ?? {}, config);
    },
  };
}

const checksOf = (state: string, { verifier, nonce }: Begun) => ({
  ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
  idTokenExpected: true,
});

function unreachable({ issuer }: OidcConfig, error: unknown): ApiProblem {
  return new ApiProblem('unavailable', `ask ${issuer}: ${messageOf(error)}`, {
    hint: 'web.oidc in controller.yaml; NODE_EXTRA_CA_CERTS for a CA of your own',
  });
}

async function discover({ issuer, client_id: id, secret_file: file }: OidcConfig): Promise<Configuration> {
  const client = await import('openid-client');
  const server = new URL(issuer);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(server.hostname);
  if (server.protocol !== 'https:' && !isHere) {
    throw new KickError(
      'config',
      `read controller.yaml: web.oidc.issuer "${issuer}" is neither https nor on this machine`,
    );
  }
  const secret = file === undefined ? undefined : readSecret(file, 'web.oidc.secret_file');
  const options = server.protocol === 'https:' ? {} : { execute: [client.allowInsecureRequests] };
  const authentication = secret === undefined ? client.None() : undefined;
  const there = await client.discovery(server, id, secret, authentication, options);
  // Throws if its metadata do not say where to go: they are asked for again.
  client.buildAuthorizationUrl(there, {});
  return there;
}

function personOf(
  claims: Readonly<Record<string, unknown>>,
  config: OidcConfig,
): { name: string; grant: Grant } {
  const { [config.name_claim]: name, [config.groups_claim]: groups } = claims;
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(name)) {
    throw refused(`the claim "${config.name_claim}" is not a name`);
  }
  const theirs = Array.isArray(groups) ? groups : [groups];
  const given = config.groups.find((one) => theirs.includes(one.name));
  if (given === undefined) throw new ApiProblem('not-allowed', `groups: ${name} is in none that may come in`);
  return { name: name.toLowerCase(), grant: grantOf(given) };
}

function refused(why: string): ApiProblem {
  return new ApiProblem('not-signed-in', `sign in at the provider: ${why}`, {
    hint: 'begin again: /auth/oidc',
  });
}
