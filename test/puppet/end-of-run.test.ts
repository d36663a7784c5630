/** DESIGN 3: what real Puppet, and what it runs, says of the end of a run. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemCode } from '../../src/errors.ts';
import { identify, type ProcessId, signalProcess } from '../../src/util/proc.ts';
import { AGENTS } from './agents.ts';
import { type HostResult, type Place, placeOf, until, useLab } from './harness.ts';
import { calm, catalogsOf, puppetConf, puppetRunOf } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.endOfRun;
const home = lab.dirOf(agent);
const runs = join(home, 'kick', 'run', 'runs');
const disabledLock = join(home, 'var', 'state', 'agent_disabled.lock');
let place: Place;

beforeAll(async () => {
  place = await placeOf(lab, agent);
});

afterAll(() => place?.running.end('SIGTERM'));

beforeEach(() => calm(lab, agent));

afterEach(() => rmSync(disabledLock, { force: true }));

async function kick(...args: string[]): Promise<HostResult | undefined> {
  return (await place.controller.kick(place.certname, ...args)).hosts[place.certname];
}

/** A file of the run in progress, which goes when the run is over. */
function runFile(name: string): string | undefined {
  const [run = ''] = readdirSync(runs).filter((one) => !one.startsWith('.'));
  try {
    return readFileSync(join(runs, run, name), 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function startedPuppet(): ProcessId | undefined {
  const pid = Number(runFile('started')?.split(' ')[0]);
  return pid > 0 ? identify(pid) : undefined;
}

const MOMENTS: Record<string, () => ProcessId | undefined> = {
  'it has just begun': startedPuppet,
  'it has opened its log': () => (runFile('log.jsonl') === undefined ? undefined : startedPuppet()),
  'it has taken its lock': () => puppetRunOf(lab, agent),
};

/** Exit statuses of a whole run without failures. */
const COMPLETED: Record<number, string> = { 0: 'unchanged', 2: 'changed' };

test.each(Object.keys(MOMENTS))('TERM to Puppet when %s is interrupted', async (moment) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await lab.set(agent, 'sleep', 5);
    const running = place.controller.start(place.certname);
    const puppet = await until(moment, () => MOMENTS[moment]?.());
    signalProcess(puppet, signal);
    const { hosts } = await running.result;
    // Puppet can swallow a signal, while Ruby loads it (one INT of 150) and in the first moments of its run: it then completes.
    const result = hosts[place.certname];
    const completed = COMPLETED[result?.run?.exit ?? 1] ?? 'interrupted';
    expect(['interrupted', completed], `${signal}: ${JSON.stringify(result)}`).toContain(result?.outcome);
  }
});

test('what a prerun command prints is no signal', async () => {
  const script = join(home, 'prerun');
  writeFileSync(script, '#!/bin/sh\necho "Caught TERM; exiting" >&2\necho "deploy: SIGTERM"\nexit 1\n', {
    mode: 0o755,
  });
  puppetConf(lab, agent, `prerun_command = ${script}`);
  const result = await kick();
  expect(result).toMatchObject({ outcome: 'failed' });
  expect(JSON.stringify(result)).toContain('deploy: SIGTERM');
});

test('Puppet that cannot make its run lock has failed with its own words, once', async () => {
  puppetConf(lab, agent, `agent_catalog_run_lockfile = ${join(home, 'missing', 'run.lock')}`);
  const from = place.running.log.length;
  const result = await kick('--wait', '10m');
  expect(result).toMatchObject({ outcome: 'failed' });
  expect(JSON.stringify(result)).toContain('No such file or directory');
  const isReleased = ({ msg }: { msg: string }) => msg === 'run released';
  await place.running.logged('its run', isReleased, from);
  expect(place.running.log.slice(from).filter(isReleased)).toHaveLength(1);
});

test('Puppet that was disabled for a moment is disabled, with the reason', async () => {
  const wait = join(home, 'wait');
  writeFileSync(wait, '');
  onTestFinished(() => rmSync(wait, { force: true }));
  const running = place.controller.start(place.certname);
  await until('the run to be let go', startedPuppet);
  writeFileSync(disabledLock, '{"disabled_message":"a new kernel"}');
  rmSync(wait);
  await until('its log to say so', () => runFile('log.jsonl')?.includes('a new kernel') || isOver());
  rmSync(disabledLock);
  const { hosts } = await running.result;
  expect(hosts[place.certname]).toMatchObject({
    outcome: 'disabled',
    message: expect.stringContaining('a new kernel'),
  });
});

/** It may have ended before we looked. */
const isOver = () => readdirSync(runs).length === 0;

test('the cached catalog is used when it was asked for, or nothing begins, or that a new one was taken is told', async () => {
  const cached = join(home, 'var', 'client_data', 'catalog', `${place.certname}.json`);
  const whole = readFileSync(cached, 'utf8');
  const before = catalogsOf(lab, agent);
  expect(await kick('--use-cached-catalog')).toMatchObject({ outcome: 'unchanged' });

  renameSync(cached, `${cached}.away`);
  expect(await kick('--use-cached-catalog')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('there is none'),
  });
  writeFileSync(cached, whole.slice(0, whole.length / 2));
  expect(await kick('--use-cached-catalog')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('not whole'),
  });
  expect(catalogsOf(lab, agent)).toBe(before);

  // A catalog by its looks, but Puppet cannot use it, and fetches a new one.
  const catalog = JSON.parse(whole) as { edges: object[] };
  catalog.edges.push({ source: 'Class[Nowhere]', target: 'Stage[main]' });
  writeFileSync(cached, JSON.stringify(catalog));
  expect(await kick('--use-cached-catalog')).toMatchObject({
    outcome: 'failed',
    message: expect.stringContaining('took a new one'),
  });
  expect(catalogsOf(lab, agent)).toBe(before + 1);
});
