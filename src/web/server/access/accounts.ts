/** Local accounts: `kick user add`, and signing in. */

import { join } from 'node:path';
import * as v from 'valibot';
import { KickError } from '../../../errors.ts';
import { text, time } from '../../../util/bounds.ts';
import type { Clock } from '../../../util/clock.ts';
import { type Limits, LimitsSchema, UserNameSchema } from '../../api/access.ts';
import { ROLES, type Role } from '../../api/route.ts';
import { hashPassword, isPassword, MIN_PASSWORD } from './passwords.ts';
import { openStoredList } from './stored-list.ts';

const AccountSchema = v.object({
  name: UserNameSchema,
  role: v.picklist(ROLES),
  limits: LimitsSchema,
  password: text(300),
  /** Milliseconds since 1970. Sessions and tokens of an earlier account of this name are worth nothing. */
  createdAt: time,
  /** When the password was last changed: sessions from before are over. */
  passwordAt: time,
});

export type Account = v.InferOutput<typeof AccountSchema>;

export interface AccountWish {
  name: string;
  role: Role;
  limits: Limits;
  password: string;
}

export interface Accounts {
  list(): Promise<readonly Account[]>;
  find(name: string): Promise<Account | undefined>;
  /** The account, if the password is right. Takes as long for a name that does not exist. */
  check(name: string, password: string): Promise<Account | undefined>;
  /** Adds an account or replaces the one of this name. Throws `KickError` `usage`. */
  put(wish: AccountWish): Promise<'added' | 'replaced'>;
  /** Throws `KickError` `usage` if there is none. */
  remove(name: string): Promise<void>;
}

export function openAccounts(webDir: string, clock: Clock): Accounts {
  const stored = openStoredList(join(webDir, 'accounts.json'), AccountSchema, clock);
  const find = async (name: string) => (await stored.read()).find((one) => one.name === name);
  return {
    list: stored.read,
    find,
    async check(name, password) {
      const account = await find(name);
      return (await isPassword(password, account?.password)) ? account : undefined;
    },
    async put({ name, role, limits, password }) {
      checkWish(name, password);
      const [before, now] = [await find(name), clock.now()];
      const isSame = before !== undefined && (await isPassword(password, before.password));
      const account: Account = {
        ...{ name, role, limits, createdAt: before?.createdAt ?? now },
        ...(isSame
          ? { password: before.password, passwordAt: before.passwordAt }
          : { password: await hashPassword(password), passwordAt: now }),
      };
      await stored.change((items) => [...items.filter((one) => one.name !== name), account]);
      return before === undefined ? 'added' : 'replaced';
    },
    async remove(name) {
      await stored.change((items) => {
        const left = items.filter((one) => one.name !== name);
        if (left.length === items.length)
          throw new KickError('usage', `remove "${name}": there is no such account`);
        return left;
      });
    },
  };
}

function checkWish(name: string, password: string): void {
  const parsed = v.safeParse(UserNameSchema, name);
  if (!parsed.success) throw new KickError('usage', `add "${name}": ${parsed.issues[0].message}`);
  if (password.length < MIN_PASSWORD) {
    throw new KickError('usage', `add "${name}": the password is shorter than ${MIN_PASSWORD} characters`);
  }
  if (password.length > 1024)
    throw new KickError('usage', `add "${name}": the password is over 1024 characters`);
}
