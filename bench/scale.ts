/** Ten thousand hosts from one machine: time and memory, and how they grow. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { startFleet } from '../tools/fleet/start-fleet.ts';
import { PROGRAM } from '../tools/program.ts';
import type { DispatchOptions } from './dispatch.ts';
import type { Row } from './measure.ts';
import { type Cost, costOfNode } from './processes.ts';

const CONCURRENCY = 500;
const RUN_MS = 1000;

interface Measured extends Cost {
  hosts: number;
  /** Milliseconds: the runs alone, and the CPU of both sides spread over all processors. */
  idealMs: number;
}

export async function scaleRows({ folder, hosts, keep }: DispatchOptions): Promise<Row[]> {
  const [few, many] = [Math.ceil(hosts / 10), hosts];
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep });
  const measure = async (count: number): Promise<Measured> => {
    const names = join(folder, 'names');
    writeFileSync(names, fleet.names.slice(0, count).join('\n'));
    const before = await fleet.usage();
    const args = [PROGRAM, 'run', '--nodes-file', names, '--quiet', '--concurrency', String(CONCURRENCY)];
    const cost = await costOfNode([...args, ...fleet.kickArgs()], { folder });
    const after = await fleet.usage();
    const runs = Math.ceil(count / CONCURRENCY) * RUN_MS;
    const cpu = (cost.cpuMs + after.cpuMs - before.cpuMs) / cpus().length;
    return { ...cost, hosts: count, idealMs: Math.max(runs, cpu) };
  };
  try {
    const [small, large] = [await measure(few), await measure(many)];
    const growth = large.wallMs / small.wallMs / (many / few);
    return [
      {
        what: `${many} hosts, 1 s runs, ${CONCURRENCY} at once`,
        value: `${(large.wallMs / 1000).toFixed(1)} s`,
        beside: `${(large.wallMs / large.idealMs).toFixed(2)} x the ideal (${(large.idealMs / 1000).toFixed(1)} s: runs, or CPU of both sides)`,
        promised: '<= 1.1 x',
        figures: { wallMs: large.wallMs, idealMs: large.idealMs, ratio: large.wallMs / large.idealMs },
      },
      {
        what: '  controller CPU a host',
        value: `${(large.cpuMs / many).toFixed(2)} ms`,
        beside: `${(large.cpuMs / many / (small.cpuMs / few)).toFixed(2)} x that of ${few} hosts`,
        promised: '<= 1 x',
        figures: { cpuMs: large.cpuMs / many, few: small.cpuMs / few },
      },
      {
        what: '  controller peak RSS',
        value: `${large.rssMb.toFixed(0)} MB`,
        beside: `${(large.rssMb / small.rssMb).toFixed(2)} x that of ${few} hosts (${small.rssMb.toFixed(0)} MB)`,
        promised: '<= 220 MB',
        figures: { rssMb: large.rssMb, few: small.rssMb },
      },
      {
        what: `  time from ${few} to ${many} hosts`,
        value: `${growth.toFixed(2)} x`,
        beside: `of linear (${(small.wallMs / 1000).toFixed(1)} s)`,
        promised: '<= 1 x',
        figures: { growth },
      },
    ];
  } finally {
    await fleet.stop();
  }
}
