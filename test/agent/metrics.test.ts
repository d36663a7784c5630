/** An agent's counters: each run and request counted once, across restarts and broken files. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expiryOf } from '../../src/pki/expiry.ts';
import { expositionText } from '../../src/util/exposition.ts';
import type { Log } from '../../src/util/log.ts';
import { silentLog } from '../../src/util/log.ts';
import { type Exposition, parseExposition } from '../support/exposition.ts';
import { tempFolder } from '../support/temp.ts';
import { command, controller, kick, peerOf, refusalOf, requestOf, sealed, startAgent } from './harness.ts';

const read = (file: string): Exposition => parseExposition(readFileSync(file, 'utf8'));
const shell = (text: string) => {
  const runner = command('any');
  return { ...runner, plan: async () => ({ argv: ['/bin/sh', '-c', text], env: { PATH: '/usr/bin:/bin' } }) };
};

function warnings(): { log: Log; told: string[] } {
  const told: string[] = [];
  return { told, log: { ...silentLog, warn: (_fields, message) => void told.push(message) } };
}

test('label values and help are escaped, and the strict parser reads them back', () => {
  const value = 'a "quoted" \\ back\nslash {,}=';
  const text = expositionText([
    { name: 'a', help: 'one \\ two\nthree', type: 'gauge', samples: [{ labels: { value }, value: 1.5e-9 }] },
    { name: 'none', help: 'no samples', type: 'counter', samples: [] },
  ]);
  expect(text.split('\n')[0]).toBe('# HELP a one \\\\ two\\nthree');
  expect(parseExposition(text)).toMatchObject({ labels: [{ value }], types: new Map([['a', 'gauge']]) });
  for (const bad of ['a 1', 'a{b="c} 1\n', '# TYPE a gauge\na 1\n', `${text}${text}`, 'a{b="\\x"} 1\n']) {
    expect(() => parseExposition(bad), bad).toThrow();
  }
});

test('an agent counts runs once, requests each, refusals and waits; counters survive a restart', async () => {
  const folder = tempFolder();
  const metricsFile = join(folder, 'kick.prom');
  const release = join(folder, 'release');
  const runner = shell(`until [ -e '${release}' ] || [ ! -d '${folder}' ]; do sleep 0.02; done; exit 2`);
  const begun = Date.now() / 1000;
  const agent = await startAgent(folder, { runner, metricsFile });
  agent.setExpiry(expiryOf(controller));
  // A first run, and two requests that are served by one second run.
  const first = await kick(agent);
  await first.until('started');
  const others = await Promise.all([kick(agent), kick(agent)]);
  await expect.poll(() => read(metricsFile).samples.get('kick_agent_waiting_requests')).toBe(2);
  expect(await refusalOf(agent.submit(Buffer.from('{'), peerOf()))).toBe('malformed');
  writeFileSync(release, '');
  await Promise.all([first, ...others].map(({ finished }) => finished));
  await expect
    .poll(() => {
      const { samples } = read(metricsFile);
      return ['requests', 'runs'].map((what) => samples.get(`kick_agent_${what}_total{outcome="changed"}`));
    })
    .toEqual([3, 2]);
  const { samples, types } = read(metricsFile);
  expect(statSync(metricsFile).mode & 0o777).toBe(0o644);
  expect(samples.get('kick_agent_runs_total{outcome="failed"}')).toBe(0);
  expect(samples.get('kick_agent_refused_total{code="malformed"}')).toBe(1);
  expect(samples.get('kick_agent_run_duration_seconds_count')).toBe(2);
  expect(samples.get('kick_agent_lock_wait_seconds_count')).toBe(3);
  expect(samples.get('kick_agent_lock_wait_seconds_sum')).toBeGreaterThan(0);
  expect(samples.get('kick_agent_waiting_requests')).toBe(0);
  expect(samples.get('kick_agent_disabled')).toBe(0);
  expect(samples.get('kick_agent_info{version="0.0.0-test"}')).toBe(1);
  const now = Date.now() / 1000;
  const success = samples.get('kick_agent_last_success_timestamp_seconds');
  expect(success).toBeGreaterThanOrEqual(begun);
  expect(success).toBeLessThanOrEqual(now);
  expect(samples.get('kick_agent_certificate_expiry_timestamp_seconds')).toBeGreaterThan(now);
  expect(samples.get('kick_agent_crl_expiry_timestamp_seconds')).toBeGreaterThan(now);
  expect(samples.get('kick_agent_ca_expiry_timestamp_seconds')).toBeGreaterThan(now);
  expect(types.get('kick_agent_run_duration_seconds')).toBe('summary');
  await agent.stop();
  const again = await startAgent(folder, { runner, metricsFile });
  await (await kick(again)).finished;
  await again.stop();
  expect(read(metricsFile).samples.get('kick_agent_runs_total{outcome="changed"}')).toBe(3);
  expect(read(metricsFile).samples.get('kick_agent_refused_total{code="malformed"}')).toBe(1);
});

test('disabled is 1, what then ends without a run is a request and no run', async () => {
  const folder = tempFolder();
  const metricsFile = join(folder, 'kick.prom');
  const runner = shell('exit 0');
  const gate = async () => ({ state: 'disabled', disabled: { reason: 'new disk' } }) as const;
  const agent = await startAgent(folder, { runner: { ...runner, gate }, metricsFile });
  expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'disabled' });
  await agent.stop();
  const { samples } = read(metricsFile);
  expect(samples.get('kick_agent_disabled')).toBe(1);
  expect(samples.get('kick_agent_requests_total{outcome="disabled"}')).toBe(1);
  expect(samples.get('kick_agent_runs_total{outcome="disabled"}')).toBe(0);
});

test('a request that was cancelled off a run leaves the run to be counted at its end', async () => {
  const folder = tempFolder();
  const metricsFile = join(folder, 'kick.prom');
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const until = (file: string) => `while [ -d '${folder}' ] && [ ! -e '${file}' ]; do sleep 0.02; done`;
  const runner = shell(`if mkdir '${folder}/first'; then ${until(one)}; else ${until(two)}; fi`);
  const agent = await startAgent(folder, { runner, metricsFile });
  const block = await kick(agent);
  await block.until('started');
  const [kept, off] = await Promise.all([kick(agent), kick(agent)]);
  await Promise.all([kept.until('waiting'), off.until('waiting')]);
  writeFileSync(one, '');
  await block.finished;
  await Promise.all([kept.until('started'), off.until('started')]);
  await agent.command(await sealed(requestOf({ action: { op: 'cancel', job: off.job } })), peerOf());
  expect(await off.finished).toMatchObject({ outcome: 'cancelled' });
  writeFileSync(two, '');
  await kept.finished;
  await agent.stop();
  const { samples } = read(metricsFile);
  expect(samples.get('kick_agent_runs_total{outcome="cancelled"}')).toBe(0);
  expect(samples.get('kick_agent_requests_total{outcome="cancelled"}')).toBe(1);
  expect(samples.get('kick_agent_runs_total{outcome="unchanged"}')).toBe(2);
});

test('a file that cannot be written costs one warning and no run; broken counters begin at zero', async () => {
  const folder = tempFolder();
  const { log, told } = warnings();
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  writeFileSync(join(folder, 'state', 'agent-metrics.json'), '{"runs":');
  const metricsFile = join(folder, 'no-such-folder', 'kick.txt');
  const agent = await startAgent(folder, { runner: shell('exit 0'), metricsFile, log });
  for (let n = 0; n < 2; n++)
    expect(await (await kick(agent)).finished).toMatchObject({ outcome: 'unchanged' });
  await expect.poll(() => told.filter((text) => text.includes('cannot be written'))).toHaveLength(1);
  await agent.stop();
  expect(told).toEqual([
    expect.stringContaining('end with .prom'),
    expect.stringContaining('begin at zero'),
    expect.stringContaining('cannot be written'),
  ]);
});
