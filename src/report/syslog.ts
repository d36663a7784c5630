/** The system's log: a line for the job and one for each host, through pino's transport. */
import type { HostResult, JobEvent } from '../controller/jobs/job.ts';
import { isSuccess } from '../protocol/outcome.ts';
import type { Guard } from './isolated.ts';
import type { Judge, Reporter } from './reporter.ts';

export interface SyslogOptions {
  /** The program and its arguments. */
  argv: readonly string[];
  judge: Judge;
  guard: Guard;
}

export async function syslogReporter({ argv, judge, guard }: SyslogOptions): Promise<Reporter> {
  const { pino } = await import('pino');
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const target = new URL(`./syslog-transport.${extension}`, import.meta.url).href;
  const transport = pino.transport({ target, options: { argv: [...argv] } });
  // Its worker may die; without a listener that would end us.
  transport.on(
    'error',
    guard((error: unknown) => {
      throw error;
    }),
  );
  const log = pino({ base: null, timestamp: false }, transport);
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
    async close() {
      transport.end();
    },
  };
}
