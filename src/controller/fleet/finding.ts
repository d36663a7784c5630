/** One thing that is wrong with a host, or will be. */

/** `problem`: kicks fail, or will within a week. `warning`: needs attention. `remark`: nothing is wrong. */
export type Level = 'problem' | 'warning' | 'remark';

export interface Finding {
  level: Level;
  what: string;
  /** What to do about it. */
  next?: string;
}

export function problem(what: string, next: string): Finding {
  return { level: 'problem', what, next };
}

export function warning(what: string, next: string): Finding {
  return { level: 'warning', what, next };
}

export function remark(what: string, next: string): Finding {
  return { level: 'remark', what, next };
}
