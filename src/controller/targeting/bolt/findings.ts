/** What reading an inventory found: problems, which refuse it, and warnings. */
import type { Problem } from '../../../util/schema.ts';

export type Path = readonly string[];

/** Something that is ignored. The same in many places is reported once. */
export interface Warning {
  message: string;
  /** How many places. */
  count: number;
  /** The first few places. */
  paths: Path[];
  /** Targets or groups, those of all places. */
  subjects: string[];
  /** Whether hosts may be missing because of it. */
  isLoss: boolean;
}

export interface WarningOptions {
  /** The target or group it is about. */
  subject?: string;
  isLoss?: boolean;
}

export interface Findings {
  problem(path: Path, message: string): void;
  warn(path: Path, message: string, options?: WarningOptions): void;
  problems(): Problem[];
  warnings(): Warning[];
}

const MAX_PROBLEMS = 50;
const MAX_SHOWN = 5;

export function createFindings(): Findings {
  const problems: Problem[] = [];
  const warnings = new Map<string, Warning>();

  return {
    problem(path, message) {
      if (problems.length < MAX_PROBLEMS) problems.push({ path: [...path], message });
    },
    warn(path, message, { subject, isLoss = false } = {}) {
      let warning = warnings.get(message);
      if (warning === undefined) {
        warning = { message, count: 0, paths: [], subjects: [], isLoss };
        warnings.set(message, warning);
      }
      warning.count += 1;
      if (subject !== undefined) warning.subjects.push(subject);
      if (warning.paths.length < MAX_SHOWN) warning.paths.push(path);
    },
    problems: () => problems,
    warnings: () => [...warnings.values()],
  };
}
