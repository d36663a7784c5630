/** A run that is nothing: what is measured is kick, not the run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAuthority } from '../src/pki/authority.ts';
import { sleep, systemClock } from '../src/util/clock.ts';
import {
  BARE_CLIENT,
  median,
  type Row,
  startAgent,
  timedKick,
  wallOfNode,
  writeInventory,
} from './measure.ts';
import { presign } from './presigned.ts';

/** Of the run that is nothing. */
const RUN_MS = 300;

const AGENT = 'agent.bench';
const CONTROLLER = 'controller.bench';

const ms = (value: number) => `${Math.round(value)} ms`;
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`;

/** The fixture notes when it began and ended: what is measured is kick, not the run. */
export async function commandRows(folder: string, rounds: number, bareMs: number): Promise<Row[]> {
  const pki = join(folder, 'pki');
  const authority = openAuthority(pki, { clock: systemClock });
  await authority.init('bench CA');
  await authority.issue({ name: AGENT, role: 'agent', keyType: 'p256', days: 60 });
  await authority.issue({ name: CONTROLLER, role: 'controller', keyType: 'p256', days: 60 });
  const times = join(folder, 'times');
  const program = join(folder, 'noted-run');
  writeFileSync(
    program,
    `#!/bin/sh\ndate +%s%N >"${times}"\nsleep ${RUN_MS / 1000}\ndate +%s%N >>"${times}"\n`,
    {
      mode: 0o755,
    },
  );
  writeFileSync(join(folder, 'agent.yaml'), JSON.stringify({ runner: 'command', command: [program] }));
  const common = ['--config-dir', folder, '--pki-dir', pki];
  const own = ['--state-dir', join(folder, 'agent'), '--run-dir', join(folder, 'run'), '--certname', AGENT];
  const agent = await startAgent([...common, ...own]);
  writeInventory(folder, AGENT, agent);
  const kickArgs = [AGENT, ...common, '--state-dir', join(folder, 'kick'), '--certname', CONTROLLER];
  const [starts, ends, bare]: [number[], number[], number[]] = [[], [], []];
  const target = { certname: AGENT, host: '127.0.0.1', port: agent.port };
  const requests = join(folder, 'requests');
  try {
    for (let i = 0; i <= rounds; i++) {
      const { spawnedAt, printedAt } = await timedKick(kickArgs);
      const [began = 0, ended = 0] = readFileSync(times, 'utf8')
        .trim()
        .split('\n')
        .map((ns) => Number(ns) / 1e6);
      if (i === 0) continue; // the first warms the disk's cache
      starts.push(began - spawnedAt);
      ends.push(printedAt - ended);
      await presign([target], { path: requests, pki, controller: CONTROLLER });
      bare.push(await wallOfNode([BARE_CLIENT, requests, pki, CONTROLLER, '1']));
      await sleep(2 * RUN_MS); // until its run is over
    }
  } finally {
    await agent.stop();
  }
  const [start, end] = [median(starts), median(ends)];
  return [
    {
      what: 'kick started -> command began (runner: command)',
      value: ms(start),
      beside: `${ratio(start, bareMs)} node -e 0`,
      promised: '<= 250 ms',
      figures: { ms: start, bareMs },
    },
    {
      what: '  a bare Node client started -> its first event',
      value: ms(median(bare)),
      beside: `${ratio(median(bare), bareMs)} node -e 0: the least that a kick can take`,
      promised: '-',
      figures: { ms: median(bare) },
    },
    {
      what: 'command ended -> outcome printed',
      value: ms(end),
      beside: `${ratio(end, bareMs)} node -e 0`,
      promised: '<= 150 ms',
      figures: { ms: end },
    },
  ];
}
