/** The figures of the controller: choosing among many hosts, and remembering many jobs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uuidv7 } from '../src/util/uuid.ts';
import { PROGRAM } from '../tools/program.ts';
import { type Measuring, median, type Row, wallOfNode } from './measure.ts';

const HOSTS = 50_000;
const JOBS = 10_000;
/** Three set operations over 50,000 names. */
const EXPRESSION =
  'web[00001-50000].example.com!web[00007-10000].example.com&@all^web[40001-40100].example.com';

interface Measured {
  ms: number;
  mb: number;
  count: number;
}

export async function controllerRows(folder: string, measuring: Measuring): Promise<Row[]> {
  return [
    ...(await hostRows(join(folder, 'hosts'), measuring)),
    ...(await jobRows(join(folder, 'store'), measuring)),
  ];
}

async function hostRows(dir: string, { rounds, bareMs }: Measuring): Promise<Row[]> {
  mkdirSync(dir);
  const names = Array.from({ length: HOSTS }, (_, i) => `web${String(i + 1).padStart(5, '0')}.example.com`);
  const path = join(dir, 'inventory.yaml');
  writeFileSync(path, `targets:\n${names.map((name) => `  - ${name}\n`).join('')}`);
  const script = join(import.meta.dirname, 'resolve.mjs');
  const all = Array.from({ length: rounds }, () => {
    const out = execFileSync(process.execPath, [script, path, EXPRESSION], { encoding: 'utf8' });
    return JSON.parse(out) as Measured;
  });
  if (all[0]?.count !== HOSTS - 9994 - 100) throw new Error(`resolved to ${all[0]?.count} hosts`);
  const time = median(all.map(({ ms }) => ms));
  const whole: number[] = [];
  for (let i = 0; i < rounds; i++) {
    whole.push(
      await wallOfNode([
        PROGRAM,
        'nodes',
        EXPRESSION,
        '--config-dir',
        dir,
        '--state-dir',
        dir,
        '--count',
        '--no-fqdn',
      ]),
    );
  }
  const ratio = (a: number) => `${(a / bareMs).toFixed(2)} x node -e 0`;
  return [
    {
      what: `resolving ${HOSTS} of ${HOSTS} hosts, 3 set operations`,
      value: `${Math.round(time)} ms`,
      beside: `${ratio(time)}; with the inventory's file`,
      promised: '<= 300 ms',
    },
    {
      what: '  peak memory of that process',
      value: `${median(all.map(({ mb }) => mb)).toFixed(0)} MB`,
      beside: '',
      promised: '<= 150 MB',
    },
    {
      what: '  kick nodes, the whole command',
      value: `${Math.round(median(whole))} ms`,
      beside: ratio(median(whole)),
      promised: '-',
    },
  ];
}

async function jobRows(dir: string, { rounds, bareMs }: Measuring): Promise<Row[]> {
  const jobs = join(dir, 'jobs');
  mkdirSync(jobs, { recursive: true });
  const lines: string[] = [];
  for (let i = 0; i < JOBS; i++) {
    const at = Date.now() - (JOBS - i) * 60_000;
    const id = uuidv7(at);
    const by = { user: 'deploy', uid: 0, host: 'puppet' };
    const job = { id, controller: 'puppet', by, action: { op: 'run' }, targets: [], concurrency: 25 };
    mkdirSync(join(jobs, id));
    writeFileSync(
      join(jobs, id, 'job.json'),
      JSON.stringify({ job, settings: { accept: [] }, createdAt: at }),
    );
    writeFileSync(join(jobs, id, 'events.jsonl'), `${JSON.stringify({ type: 'job-done', at })}\n`);
    lines.push(JSON.stringify({ id, at, by: 'deploy@puppet', hosts: 412, bytes: 0 }));
    lines.push(
      JSON.stringify({ id, endedAt: at, exit: 0, counts: { changed: 12, unchanged: 400 }, bytes: 100 }),
    );
  }
  const index = join(jobs, 'index.jsonl');
  writeFileSync(index, `${lines.join('\n')}\n`);
  const list = () => wallOfNode([PROGRAM, 'jobs', '--count', String(JOBS), '--state-dir', dir]);
  const known: number[] = [];
  for (let i = 0; i < rounds; i++) known.push(await list());
  rmSync(index);
  const unknown: number[] = [];
  for (let i = 0; i < Math.min(rounds, 3); i++) unknown.push(await list());
  const ratio = (a: number) => `${(a / bareMs).toFixed(2)} x node -e 0`;
  return [
    {
      what: `kick jobs, all of ${JOBS}, the whole command`,
      value: `${Math.round(median(known))} ms`,
      beside: ratio(median(known)),
      promised: '<= 300 ms',
    },
    {
      what: '  without the index, from the folders',
      value: `${Math.round(median(unknown))} ms`,
      beside: ratio(median(unknown)),
      promised: '-',
    },
  ];
}
