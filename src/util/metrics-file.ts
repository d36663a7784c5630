/** The file for node_exporter. It can fail for many reasons, none of which is a reason to stop anything. */
import { messageOf } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';

/** node_exporter runs as a user of its own. */
const MODE = 0o644;

/** Seconds, as Prometheus counts; from milliseconds. */
export const seconds = (ms: number) => ms / 1000;

/** What an operator must know of the name; undefined when it is a good one. */
export function nameProblem(path: string): string | undefined {
  return path.endsWith('.prom')
    ? undefined
    : `metrics_file "${path}": node_exporter reads only files whose names end with .prom`;
}

export interface MetricsFile {
  /** Replaces the file; never throws. */
  write(text: string): Promise<void>;
}

/** `onTrouble` is called once a series of failures. */
export function metricsFile(path: string, onTrouble: (why: string) => void): MetricsFile {
  let isTold = false;
  return {
    async write(text) {
      try {
        await writeFileAtomic(path, text, { mode: MODE });
        isTold = false;
      } catch (error) {
        if (!isTold) onTrouble(`the metrics_file "${path}" cannot be written: ${messageOf(error)}`);
        isTold = true;
      }
    },
  };
}
