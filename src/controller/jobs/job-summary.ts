/** What a list of jobs shows of each. */
export interface JobSummary {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  /** `deploy@puppet`. */
  by: string;
  hosts: number;
  /** Size of its events; 0 until it is over. */
  bytes: number;
  reason?: string;
  name?: string;
  noop?: boolean;
  /** Absent: it is running, or its controller died. */
  endedAt?: number;
  exit?: number;
  /** Hosts by outcome. */
  counts?: Readonly<Record<string, number>>;
}

export type JobEnd = Required<Pick<JobSummary, 'endedAt' | 'exit' | 'counts' | 'bytes'>>;
