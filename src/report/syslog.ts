/** The system's log: a line for the job and one for each host. */
import { pino } from 'pino';
import type { HostResult, JobEvent } from '../controller/jobs/job.ts';
import { isSuccess } from '../protocol/outcome.ts';
import { startLogger } from './logger-process.ts';
import type { Judge, Reporter } from './reporter.ts';

export interface SyslogOptions {
  /** The program and its arguments. */
  argv: readonly string[];
  judge: Judge;
}

export function syslogReporter({ argv, judge }: SyslogOptions): Reporter {
  const logger = startLogger(argv);
  const log = pino({ base: null, timestamp: false }, logger);
  let job = '';

  function host({ certname, outcome, message, finished }: HostResult): void {
    const fields = { audit: 'outcome', job, certname, outcome, run: finished?.run, message };
    if (isSuccess(outcome)) log.info(fields, `${certname}: ${outcome}`);
    else log.warn(fields, `${certname}: ${outcome}`);
  }

  return {
    on(event: JobEvent) {
      if (event.type === 'job-started') {
        const { id, by, action, targets } = event.job;
        job = id;
        log.info({ audit: 'job', job, by, action, hosts: targets.length }, 'job started');
      } else if (event.type === 'stopping')
        log.warn({ audit: 'job', job }, `no more hosts: ${event.message}`);
      else if (event.type === 'host-done') host(event.result);
      else if (event.type === 'job-done') {
        const { exit } = judge(event.results, event.stopped);
        log.info({ audit: 'job', job, exit, stopped: event.stopped }, 'job done');
      }
    },
    close: () => logger.close(),
  };
}
