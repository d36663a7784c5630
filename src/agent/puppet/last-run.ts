/** What Puppet itself remembers of this host: its latest report, and the classes of its latest catalog. */
import { systemCode } from '../../errors.ts';
import type { LastRun } from '../../protocol/status.ts';
import { NotAFile, readRegularFile } from '../../util/regular-file.ts';
import { rubyScalar } from '../../util/ruby-scalar.ts';
import { clip } from '../../util/text.ts';
import { otherEnvironment } from '../runs/run-notes.ts';
import { readReport, withDrift } from './report.ts';

/** Bytes of classes.txt, and names in it. */
const MAX_BYTES = 2 << 20;
const MAX_CLASSES = 10_000;

/**
 * Of last_run_report.yaml; undefined where there is none that can be read. `environment` is what Puppet's settings
 * say.
 */
export async function lastRunIn(path: string, environment?: string): Promise<LastRun | undefined> {
  const bare = await readReport(path);
  const at = timeOf(bare?.time);
  if (bare === undefined || Number.isNaN(at)) return undefined;
  const head = await withDrift(path, bare);
  const { status, noop, environment: used, configuration_version: version, resources, times } = head;
  const said = otherEnvironment(environment, head);
  const cached = head.cached_catalog_status;
  return {
    status,
    at,
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

/** Milliseconds since 1970, or NaN. In quotes it is text to Ruby, too, and written as times are. */
function timeOf(time: string | Date | null | undefined): number {
  const value = typeof time === 'string' ? rubyScalar(time) : time;
  return value instanceof Date ? value.getTime() : Date.parse(String(value));
}

/** The names in classes.txt, one a line; undefined where there is no such file. */
export async function readClasses(path: string): Promise<string[] | undefined> {
  try {
    const { bytes } = await readRegularFile(path, MAX_BYTES);
    const lines = bytes.toString('utf8').split('\n');
    return lines
      .map((line) => line.trim().toLowerCase())
      .filter((line) => line !== '' && line.length <= 256)
      .slice(0, MAX_CLASSES);
  } catch (error) {
    if (error instanceof NotAFile || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
