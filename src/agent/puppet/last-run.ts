/** What Puppet itself remembers of this host: its latest report, and the classes of its latest catalog. */
import { open } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import type { LastRun } from '../../protocol/status.ts';
import { clip } from '../../util/text.ts';
import { readReport } from './report.ts';

/** Bytes of classes.txt, and names in it. */
const MAX_BYTES = 2 << 20;
const MAX_CLASSES = 10_000;

/** Of last_run_report.yaml; undefined where there is none that can be read. */
export async function lastRunIn(path: string): Promise<LastRun | undefined> {
  const head = await readReport(path);
  const at = head?.time === null || head?.time === undefined ? Number.NaN : new Date(head.time).getTime();
  if (head === undefined || Number.isNaN(at)) return undefined;
  const { status, noop, environment, configuration_version: version, resources, times } = head;
  const cached = head.cached_catalog_status;
  return {
    status,
    at,
    ...(noop === true && { noop }),
    ...(typeof environment === 'string' && { environment: clip(environment, 128) }),
    ...(head.corrective_change === true && { correctiveChange: true }),
    ...(typeof cached === 'string' && cached !== 'not_used' && { cachedCatalog: clip(cached, 64) }),
    ...(resources !== undefined && { resources }),
    ...(times !== undefined && { times }),
    ...(typeof version === 'string' && { configurationVersion: clip(version, 256) }),
  };
}

/** The names in classes.txt, one a line; undefined where there is no such file. */
export async function readClasses(path: string): Promise<string[] | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      if (!(await handle.stat()).isFile()) return undefined;
      const buffer = Buffer.alloc(MAX_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, MAX_BYTES, 0);
      const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
      return lines
        .map((line) => line.trim().toLowerCase())
        .filter((line) => line !== '' && line.length <= 256)
        .slice(0, MAX_CLASSES);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
