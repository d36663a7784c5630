/** What the handlers of the API share. */
import type { WebConfig } from '../../config/controller-config.ts';
import type { Controller } from '../../controller/controller.ts';
import type { StoredJob } from '../../controller/jobs/stored-job.ts';
import type { ServerGuard } from '../../transport/guard/guard-server.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Answer, Asked } from '../api/route.ts';
import type { ApiRoutes } from '../api/routes.ts';
import type { Doors } from './access/authenticate.ts';
import type { Caller } from './access/caller.ts';
import type { Oidc } from './access/oidc.ts';
import type { StoredList } from './access/stored-list.ts';
import type { Audit } from './audit.ts';
import type { Idempotency } from './http/idempotency.ts';
import type { RunningJobs } from './jobs/running-jobs.ts';
import type { Scheduler } from './schedules/scheduler.ts';
import type { StoredSchedule } from './schedules/stored-schedule.ts';

export interface ServerContext {
  controller: Controller;
  doors: Doors;
  running: RunningJobs;
  /** Reads a job, as it was a moment ago. */
  recentJob(text: string): Promise<StoredJob>;
  idempotency: Idempotency;
  /** What hooks were sent. */
  deliveries: Idempotency;
  audit: Audit;
  clock: Clock;
  log: Log;
  /** kick's version. */
  version: string;
  /** controller.yaml, web. */
  config: WebConfig | undefined;
  oidc: Oidc | undefined;
  /** When the certificate that browsers see expires, milliseconds since 1970. */
  pageEnds(): number;
  schedules: StoredList<StoredSchedule>;
  scheduler: Pick<Scheduler, 'run'>;
  /** Learns whose connections are no strangers'. */
  guard: Pick<ServerGuard, 'know'>;
}

/** What a handler may say besides its answer. */
export interface Note {
  /** For the audit: what was asked of how many. */
  detail?: string;
  job?: string;
  /** Called before a job starts, with what will be answered: it is remembered for the same Idempotency-Key. */
  begins?: (answer: { job: string }) => Promise<void>;
  /** Headers of the answer. */
  headers?: Record<string, string>;
}

/** Thrown problems and `KickError`s become RFC 9457 answers. */
export type Handler<Name extends keyof ApiRoutes> = (
  asked: Asked<ApiRoutes[Name]>,
  caller: Caller,
  note: Note,
) => Promise<Answer<ApiRoutes[Name]>>;

export type Handlers<Names extends keyof ApiRoutes> = { [Name in Names]: Handler<Name> };
