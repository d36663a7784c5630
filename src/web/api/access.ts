/** Who may come in, and what they may do, as the API takes and returns it. */
import * as v from 'valibot';
import { EnvironmentSchema } from '../../protocol/names.ts';
import { count, longText, matching, text, whole } from '../../util/bounds.ts';
import { boundedArray } from '../../util/schema.ts';
import { ROLES } from './route.ts';

export const UserNameSchema = matching(
  /^[a-z0-9][a-z0-9._@-]{0,63}$/,
  'not a name: lower-case letters, digits, ".", "_", "-" and "@"',
);

/** What narrows a role. */
export const LimitsSchema = v.strictObject({
  /** An expression: @dmz, web*. */
  hosts: v.optional(text(4096)),
  environments: v.optional(v.pipe(boundedArray(EnvironmentSchema, 100), v.minLength(1))),
  noopOnly: v.optional(v.literal(true)),
  maxHosts: v.optional(whole(1, 1_000_000)),
});

export type Limits = v.InferOutput<typeof LimitsSchema>;

export const SignInSchema = v.strictObject({ name: text(64), password: text(1024) });

export const MeSchema = v.object({
  name: longText,
  role: v.picklist(ROLES),
  /** Each of them holds. */
  limits: v.array(LimitsSchema),
  via: longText,
});

export const TokenWishSchema = v.strictObject({
  name: v.pipe(text(64), v.minLength(1)),
  role: v.optional(v.picklist(ROLES)),
  limits: v.optional(LimitsSchema),
  days: v.optional(whole(1, 3650), 90),
});

export const TokenSchema = v.object({
  id: longText,
  name: longText,
  user: longText,
  role: v.picklist(ROLES),
  limits: LimitsSchema,
  createdAt: longText,
  endsAt: longText,
  lastUsedAt: v.optional(longText),
});

/** `token` is shown this once. */
export const NewTokenSchema = v.object({ ...TokenSchema.entries, token: longText });

export const UserSchema = v.object({
  name: longText,
  role: v.picklist(ROLES),
  limits: LimitsSchema,
  createdAt: longText,
});

export const AuditLineSchema = v.object({
  at: longText,
  who: longText,
  via: longText,
  address: longText,
  what: longText,
  status: count,
  detail: v.optional(longText),
  job: v.optional(longText),
});
