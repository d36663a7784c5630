/** The file for node_exporter. Writing it may fail for many reasons, none of which stops anything. */
import { stat } from 'node:fs/promises';
import { messageOf, systemCode } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { refuseOthers } from './regular-file.ts';

/** Readable for node_exporter, which runs as another user. */
const MODE = 0o644;

/** Converts milliseconds to seconds, the unit of Prometheus. */
export const seconds = (ms: number) => ms / 1000;

/** What is wrong with the name; undefined if nothing is. */
export function nameProblem(path: string): string | undefined {
  return path.endsWith('.prom')
    ? undefined
    : `metrics_file "${path}": node_exporter reads only files whose names end with .prom`;
}

export interface MetricsFile {
  /** Replaces the file; never throws. */
  write(text: string): Promise<void>;
}

/** Calls `onTrouble` once per series of failures. */
export function metricsFile(path: string, onTrouble: (why: string) => void): MetricsFile {
  let isReported = false;
  return {
    async write(text) {
      try {
        await refuseOddPlace(path);
        await writeFileAtomic(path, text, { mode: MODE });
        isReported = false;
      } catch (error) {
        if (!isReported) onTrouble(`the metrics_file "${path}" cannot be written: ${messageOf(error)}`);
        isReported = true;
      }
    },
  };
}

/** Throws `NotAFile`: replacing /dev/null by a file would harm the whole machine. */
async function refuseOddPlace(path: string): Promise<void> {
  try {
    refuseOthers(await stat(path));
  } catch (error) {
    // It is there from the first write on.
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
