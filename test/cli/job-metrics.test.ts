/** What a job leaves for Prometheus. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseExposition } from '../support/exposition.ts';
import { realSite } from '../support/real-site.ts';

test('a job becomes gauges by its name; two that end at once keep each other', async () => {
  const site = await realSite(2, (_name, index) => `exit ${index === 0 ? 2 : 7}`);
  const file = join(site.folder, 'kick.prom');
  site.controllerYaml({ puppetdb: false, metrics_file: file });
  const before = Date.now() / 1000;
  expect(await site.kick('web1', '--lock', 'nightly')).toMatchObject({
    code: 0,
    err: expect.not.stringContaining('warning'),
  });
  const succeeded = parseExposition(readFileSync(file, 'utf8')).samples.get(
    'kick_job_last_success_timestamp_seconds{name="nightly"}',
  );
  expect(succeeded).toBeGreaterThanOrEqual(before);
  const names = ['a', 'b'];
  await Promise.all([
    ...names.map((name) => site.kick('web1', '--lock', name)),
    site.kick('@all', '--lock', 'nightly'),
    site.kick('web1'),
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o644);
  const { samples, types } = parseExposition(readFileSync(file, 'utf8'));
  for (const name of [...names, '']) {
    expect(samples.get(`kick_job_exit_status{name="${name}"}`), name).toBe(0);
    expect(samples.get(`kick_job_hosts{name="${name}",outcome="changed"}`), name).toBe(1);
  }
  expect(samples.get('kick_job_exit_status{name="nightly"}')).toBe(1);
  expect(samples.get('kick_job_hosts{name="nightly",outcome="failed"}')).toBe(1);
  expect(samples.get('kick_job_hosts{name="nightly",outcome="lost"}')).toBe(0);
  expect(samples.get('kick_job_last_success_timestamp_seconds{name="nightly"}')).toBe(succeeded);
  expect(samples.get('kick_job_end_timestamp_seconds{name="nightly"}')).toBeGreaterThan(succeeded ?? 0);
  expect(samples.get('kick_job_duration_seconds{name="nightly"}')).toBeGreaterThan(0);
  expect(samples.get('kick_controller_certificate_expiry_timestamp_seconds')).toBeGreaterThan(before);
  expect(samples.get('kick_controller_ca_expiry_timestamp_seconds')).toBeGreaterThan(before);
  expect(types.get('kick_job_hosts')).toBe('gauge');
  expect(readdirSync(site.folder).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  // What cannot be written costs a warning, and what is called otherwise another.
  const nowhere = join(site.folder, 'none', 'kick.txt');
  site.controllerYaml({ puppetdb: false, metrics_file: nowhere });
  const { code, err } = await site.kick('web1');
  expect(code).toBe(0);
  expect(err.split('\n').filter((line) => line.startsWith('warning:'))).toEqual([
    expect.stringContaining('end with .prom'),
    expect.stringContaining('cannot be written'),
  ]);
  expect(existsSync(nowhere)).toBe(false);
});
