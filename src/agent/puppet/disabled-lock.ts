/**
 * Puppet's agent_disabled.lock (docs/puppet.md, "Files"): the one place that says that no Puppet runs
 * on this host, for cron and hand-made runs too. Who disabled it and until when stands beside
 * Puppet's own key, so that there is nothing of ours that could disagree with it.
 */
import { link, lstat, rm, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import type { Disabled } from '../../protocol/status.ts';
import { temporaryName } from '../../util/atomic-file.ts';
import { clip } from '../../util/text.ts';
import { readLockFile } from './lock-files.ts';

const NO_REASON = 'no reason given';

const time = v.optional(v.pipe(v.number(), v.integer()));
const FileSchema = v.object({
  disabled_message: v.optional(v.unknown()),
  kick: v.optional(v.object({ by: v.pipe(v.string(), v.maxLength(330)), since: time, until: time })),
});

/**
 * Why Puppet is administratively disabled; undefined when it is not. An empty or broken file still disables. Throws
 * `KickError` `puppet` where that cannot be judged.
 */
export async function readDisabled(path: string): Promise<Disabled | undefined> {
  const lock = await readLockFile(path);
  if (lock === undefined) return undefined;
  const parsed = v.safeParse(FileSchema, parseJson(lock.bytes.toString('utf8')));
  if (!parsed.success) return { reason: NO_REASON };
  const { disabled_message: message, kick } = parsed.output;
  const reason = message === undefined || message === null ? NO_REASON : clip(String(message), 500);
  if (kick === undefined) return { reason };
  const { by, since, until } = kick;
  return { reason, by, ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
}

/** Makes the file, whole at once. False when there is one: the first reason is kept, as by Puppet itself. */
export async function writeDisabled(path: string, { reason, by, since, until }: Disabled): Promise<boolean> {
  const temporary = temporaryName(path);
  const content = { disabled_message: reason, kick: { by, since, until } };
  await writeFile(temporary, JSON.stringify(content), { mode: 0o644, flag: 'wx' });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** False when there was none. */
export async function removeDisabled(path: string): Promise<boolean> {
  try {
    await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
  await rm(path, { force: true });
  return true;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
