/** Puppet's own record of this host: its latest report, and the classes of its latest catalog. */
import { systemCode } from '../../errors.ts';
import { MAX_ANSWER_BYTES } from '../../protocol/request.ts';
import { type LastRun, MAX_CLASSES } from '../../protocol/status.ts';
import { boundedTime } from '../../util/bounds.ts';
import { NotAFile, readRegularFile } from '../../util/regular-file.ts';
import { clip } from '../../util/text.ts';
import { otherEnvironment } from '../runs/run-notes.ts';
import { readReport, reportTime, withDrift } from './report.ts';

/** Of classes.txt. */
const MAX_BYTES = 2 << 20;

/**
 * Reads last_run_report.yaml; undefined if it is missing or unreadable. `environment` is that of Puppet's settings.
 */
export async function lastRunIn(path: string, environment?: string): Promise<LastRun | undefined> {
  const bare = await readReport(path);
  const at = reportTime(bare?.time);
  if (bare === undefined || Number.isNaN(at)) return undefined;
  const head = await withDrift(path, bare);
  const { status, noop, environment: used, configuration_version: version, resources, times } = head;
  const said = otherEnvironment(environment, head);
  const cached = head.cached_catalog_status;
  return {
    status,
    at: boundedTime(at),
    ...(noop === true && { noop }),
    ...(typeof used === 'string' && { environment: clip(used, 128) }),
    ...(said !== undefined && { settingsEnvironment: clip(said, 128) }),
    ...(head.corrective_change === true && { correctiveChange: true }),
    ...(head.drift !== undefined && { drift: head.drift }),
    ...(typeof cached === 'string' && cached !== 'not_used' && { cachedCatalog: clip(cached, 64) }),
    ...(resources !== undefined && { resources }),
    ...(times !== undefined && { times }),
    ...(typeof version === 'string' && { configurationVersion: clip(version, 256) }),
  };
}

/**
 * Reads classes.txt, one name per line; undefined if there is no such file, or more than fits into an answer: half of the
 * names would choose the wrong hosts.
 */
export async function readClasses(path: string): Promise<string[] | undefined> {
  try {
    const { bytes } = await readRegularFile(path, MAX_BYTES);
    const lines = bytes.toString('utf8').split('\n');
    const names = lines
      .map((line) => line.trim().toLowerCase())
      .filter((line) => line !== '' && line.length <= 256);
    const isSendable =
      names.length <= MAX_CLASSES && Buffer.byteLength(JSON.stringify(names)) <= MAX_ANSWER_BYTES / 2;
    return isSendable ? names : undefined;
  } catch (error) {
    if (error instanceof NotAFile || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
