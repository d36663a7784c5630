/**
 * Puppet's agent_disabled.lock (docs/puppet.md, "Files"): the one file that keeps Puppet from running on
 * this host, by cron and by hand as well. Who disabled it and until when is stored next to Puppet's own
 * key, so that there is no file of ours that could disagree with it.
 */
import { link, rm, unlink, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { KickError, systemCode } from '../../errors.ts';
import type { Disabled } from '../../protocol/status.ts';
import { temporaryName } from '../../util/atomic-file.ts';
import { text, time } from '../../util/bounds.ts';
import { parseJsonText } from '../../util/json.ts';
import { lineSumOf } from '../../util/line-sum.ts';
import { clip } from '../../util/text.ts';
import { readLockFile, whyNot } from './lock-files.ts';

const NO_REASON = 'no reason given';

/** Unreadable parts are ignored: the rest still disables Puppet and says why. */
const timeIfAny = v.fallback(v.optional(time), undefined);
const KickSchema = v.object({ by: text(330), since: timeIfAny, until: timeIfAny, sum: v.optional(text(8)) });
const FileSchema = v.object({
  disabled_message: v.optional(v.unknown()),
  kick: v.fallback(v.optional(KickSchema), undefined),
});

/**
 * Why Puppet is administratively disabled; undefined if it is not. An empty or broken file still disables it. Throws
 * `KickError` `puppet` if that cannot be determined.
 */
export async function readDisabled(path: string): Promise<Disabled | undefined> {
  const lock = await readLockFile(path);
  if (lock === undefined) return undefined;
  const parsed = v.safeParse(FileSchema, jsonIn(lock.bytes.toString('utf8')));
  if (!parsed.success) return { reason: NO_REASON };
  const { disabled_message: message, kick } = parsed.output;
  const reason = clip(reasonIn(message), 500);
  if (kick === undefined) return { reason };
  const { by, since, until, sum } = kick;
  // Nobody else may enable it then, and it does not enable itself.
  if (sum !== undefined && sum !== sumOf({ reason: message, by, since, until }))
    return { reason: clip(`the lock is damaged: ${reason}`, 500) };
  return { reason, by, ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

/** Of what kick has written; a lock of 0.1 has none. */
const sumOf = ({ reason, by, since, until }: Omit<Disabled, 'reason'> & { reason: unknown }) =>
  lineSumOf(JSON.stringify([reason, by, since, until]));

function reasonIn(message: unknown): string {
  if (message === undefined || message === null || message === '') return NO_REASON;
  return typeof message === 'object' ? JSON.stringify(message) : String(message);
}

/**
 * Creates the file atomically. Returns false if there is one: like Puppet, kick keeps the first reason. Throws
 * `KickError` `puppet` if it cannot be created.
 */
export async function writeDisabled(path: string, { reason, by, since, until }: Disabled): Promise<boolean> {
  const temporary = temporaryName(path);
  const sum = sumOf({ reason, by, since, until });
  const content = { disabled_message: reason, kick: { by, since, until, sum } };
  try {
    await writeFile(temporary, JSON.stringify(content), { mode: 0o644, flag: 'wx' });
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw cannot('make', path, error);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** Returns false if there was none. Throws `KickError` `puppet` if it cannot be removed. */
export async function removeDisabled(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw cannot('remove', path, error);
  }
}

function cannot(what: string, path: string, error: unknown): KickError {
  return new KickError('puppet', `${what} Puppet's lock "${path}": ${whyNot(error)}`, { cause: error });
}

function jsonIn(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}
