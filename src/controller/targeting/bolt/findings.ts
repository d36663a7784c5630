/** What reading an inventory found: what refuses it, and what is only told. */
import type { Problem } from '../../../util/schema.ts';

export type Path = readonly string[];

/** Something that is passed over. The same in many places is told once. */
export interface Warning {
  message: string;
  /** How many places. */
  count: number;
  /** The first of them. */
  paths: Path[];
  /** Of the first of them, which targets or groups. */
  subjects: string[];
  /** Whether hosts may be missing for it. */
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
      if (warning.count > MAX_SHOWN) return;
      warning.paths.push(path);
      if (subject !== undefined) warning.subjects.push(subject);
    },
    problems: () => problems,
    warnings: () => [...warnings.values()],
  };
}
