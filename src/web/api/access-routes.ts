/** Routes about who may come in. */

import * as v from 'valibot';
import { longText, matching, text } from '../../util/bounds.ts';
import {
  AuditLineSchema,
  MeSchema,
  NewTokenSchema,
  SignInSchema,
  TokenSchema,
  TokenWishSchema,
  UserSchema,
} from './access.ts';
import { type Routes, route } from './route.ts';

const Page = v.strictObject({
  cursor: v.optional(text(200)),
  limit: v.optional(matching(/^[1-9]\d{0,2}$|^1000$/, 'from 1 to 1000')),
});

const IdParams = v.strictObject({ id: text(64) });

export const accessRoutes = {
  signIn: route({
    method: 'post',
    path: '/session',
    role: 'anyone',
    summary: 'Sign in with a local account; sets a cookie',
    body: SignInSchema,
    maxBody: 16_384,
    reply: MeSchema,
  }),
  signInWays: route({
    method: 'get',
    path: '/session/ways',
    role: 'anyone',
    summary: 'How one may sign in here',
    reply: v.object({
      password: v.boolean(),
      /** Where the browser goes to sign in at the provider. */
      oidc: v.optional(longText),
    }),
  }),
  whoAmI: route({ method: 'get', path: '/session', role: 'viewer', summary: 'Who I am', reply: MeSchema }),
  signOut: route({ method: 'delete', path: '/session', role: 'viewer', summary: 'Sign out', status: 204 }),
  listTokens: route({
    method: 'get',
    path: '/tokens',
    role: 'viewer',
    summary: 'My tokens; an admin sees all',
    reply: v.object({ tokens: v.array(TokenSchema) }),
  }),
  createToken: route({
    method: 'post',
    path: '/tokens',
    role: 'viewer',
    summary: 'Make a token for a script; it is shown this once',
    body: TokenWishSchema,
    reply: NewTokenSchema,
    status: 201,
  }),
  revokeToken: route({
    method: 'delete',
    path: '/tokens/{id}',
    role: 'viewer',
    summary: 'Revoke a token',
    params: IdParams,
    status: 204,
  }),
  listUsers: route({
    method: 'get',
    path: '/users',
    role: 'admin',
    summary: 'The local accounts',
    reply: v.object({ users: v.array(UserSchema) }),
  }),
  listAudit: route({
    method: 'get',
    path: '/audit',
    role: 'admin',
    summary: 'Who did what, when, from where and with which result, the latest first',
    query: Page,
    reply: v.object({ lines: v.array(AuditLineSchema), next: v.optional(longText) }),
  }),
} satisfies Routes;
