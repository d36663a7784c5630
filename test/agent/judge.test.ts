/** DESIGN 3, "in this order": what decides of a run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Evidence, judgeCommand, judgePuppet } from '../../src/agent/judge.ts';
import { createLogReader } from '../../src/agent/log-findings.ts';
import { agentArguments } from '../../src/agent/puppet/command.ts';
import { readDisabled } from '../../src/agent/puppet/disabled-lock.ts';
import { catalogRunHolder } from '../../src/agent/puppet/lock-files.ts';
import { type ReportHead, readReport } from '../../src/agent/puppet/report.ts';
import { tempFolder } from '../support/temp.ts';

const report = (rest: Partial<ReportHead> = {}): ReportHead => ({
  ...{ status: 'unchanged', transaction_completed: true, noop: false, noop_pending: false },
  ...rest,
});
const evidence = (rest: Partial<Evidence>): Evidence => ({
  action: { op: 'run' },
  log: { namesRunLock: false },
  ...rest,
});
const cut = report({ status: 'failed', transaction_completed: false });
const intention = { outcome: 'cancelled', message: 'm' } as const;

test.each<[string, Partial<Evidence>, string]>([
  ['completed, nothing to do', { exit: 0, report: report() }, 'unchanged'],
  ['completed, changed', { exit: 2, report: report({ status: 'changed' }) }, 'changed'],
  ['completed, pending', { exit: 0, report: report({ noop_pending: true }) }, 'would-change'],
  ['completed, resources failed', { exit: 4, report: report({ status: 'failed' }) }, 'failed'],
  ['completed, but a postrun command failed', { exit: 1, report: report() }, 'failed'],
  [
    'completed from the cache on failure',
    { exit: 0, report: report({ cached_catalog_status: 'on_failure' }) },
    'stale',
  ],
  [
    'completed from the cache by puppet.conf',
    { exit: 0, report: report({ cached_catalog_status: 'explicitly_requested' }) },
    'stale',
  ],
  [
    'the cache was asked for',
    {
      action: { op: 'run', useCachedCatalog: true },
      exit: 0,
      report: report({ cached_catalog_status: 'explicitly_requested' }),
    },
    'unchanged',
  ],
  [
    'the cache was allowed',
    {
      action: { op: 'run', usecacheonfailure: true },
      exit: 2,
      report: report({ status: 'changed', cached_catalog_status: 'on_failure' }),
    },
    'changed',
  ],
  [
    'completed although it was to be stopped',
    { exit: 2, intention, report: report({ status: 'changed' }) },
    'changed',
  ],
  ['stopped on purpose', { exit: 0, intention, report: cut }, 'cancelled'],
  ['stopped on purpose, early', { exit: 143, intention }, 'cancelled'],
  ['TERM during the run: exit 0', { exit: 0, report: cut }, 'interrupted'],
  [
    'TERM while Puppet loads its code',
    { exit: 1, log: { namesRunLock: false, signal: 'SIGTERM' } },
    'interrupted',
  ],
  [
    'the same, with a report',
    { exit: 1, report: cut, log: { namesRunLock: false, signal: 'SIGTERM' } },
    'interrupted',
  ],
  [
    'a run that completed, whatever its log says',
    { exit: 0, report: report(), log: { namesRunLock: false, signal: 'SIGTERM' } },
    'unchanged',
  ],
  ['a signal', { exit: 137 }, 'interrupted'],
  ['no record of the exit', {}, 'interrupted'],
  ['no record of the exit, but a completed report', { report: report({ status: 'changed' }) }, 'changed'],
  ['the catalog does not compile', { exit: 1, report: cut }, 'failed'],
  ['disabled', { exit: 1, disabled: { reason: 'why' } }, 'disabled'],
  ['no report and no reason', { exit: 1 }, 'failed'],
])('judgePuppet: %s', (_what, given, outcome) => {
  expect(judgePuppet(evidence(given))).toMatchObject({ outcome });
});

test('judgePuppet: the log names the lock, the race was lost', () => {
  expect(judgePuppet(evidence({ exit: 1, log: { namesRunLock: true } }))).toBe('race-lost');
});

test('judgePuppet says that a host puppet.conf says noop', () => {
  const given = { exit: 0, report: report({ noop: true, noop_pending: true }) };
  expect(judgePuppet(evidence(given))).toMatchObject({
    message: expect.stringContaining('--no-noop applies'),
  });
  expect(judgePuppet(evidence({ ...given, action: { op: 'run', noop: true } }))).not.toHaveProperty(
    'message',
  );
});

const site = { environment: 'production', tags: '', skipTags: '', inOptions: [] };
const paths = { lastRunReport: '', runLock: '', disabledLock: '' };

test.each<[string, Partial<Evidence>, string | undefined]>([
  [
    'all skipped by tags of the request',
    { action: { op: 'run', tags: ['x'] }, report: counts(9, 9) },
    '9 of 9 resources were skipped (--tags x)',
  ],
  [
    'the only one skipped',
    { action: { op: 'run', skipTags: ['x'] }, report: counts(1, 1) },
    '1 of 1 resource was skipped (--skip_tags x)',
  ],
  ['all skipped for a reason of their own', { report: counts(9, 9) }, '9 of 9 resources were skipped'],
  ['some skipped, as was asked', { action: { op: 'run', tags: ['x'] }, report: counts(9, 8) }, undefined],
  ['some skipped by a schedule', { report: counts(9, 1) }, undefined],
  [
    'some skipped by puppet.conf',
    { report: counts(9, 8), puppet: { ...paths, site: { ...site, tags: 'a, b' } } },
    "8 of 9 resources were skipped (the host's puppet.conf says tags = a, b)",
  ],
  [
    "a request's tags replace those of puppet.conf",
    {
      action: { op: 'run', tags: ['x'] },
      report: counts(9, 8),
      puppet: { ...paths, site: { ...site, tags: 'a' } },
    },
    undefined,
  ],
  ['nothing in the catalog', { report: counts(0, 0) }, undefined],
  [
    'the environment of puppet.conf',
    { report: report({ environment: 'dev' }), puppet: { ...paths, site: { ...site, environment: 'dev' } } },
    undefined,
  ],
  [
    'another environment',
    {
      report: report({ environment: 'production', status: 'changed' }),
      puppet: { ...paths, site: { ...site, environment: 'dev' } },
    },
    "the host's puppet.conf says environment = dev, but the run used production",
  ],
  [
    'one that a classifier has chosen, and nobody asked for another',
    { report: report({ environment: 'dev' }), puppet: { ...paths, site } },
    undefined,
  ],
  [
    'an environment that was asked for',
    {
      action: { op: 'run', environment: 'test' },
      report: report({ environment: 'test' }),
      puppet: { ...paths, site: { ...site, environment: 'dev' } },
    },
    undefined,
  ],
])('judgePuppet notes beside a success: %s', (_what, given, message) => {
  const verdict = judgePuppet(evidence({ exit: 0, ...given }));
  expect(verdict === 'race-lost' ? undefined : verdict.message).toBe(message);
});

function counts(total: number, skipped: number): ReportHead {
  return report({ resources: { total, skipped } });
}

test.each([
  [0, 'unchanged'],
  [2, 'changed'],
  [1, 'failed'],
  [143, 'interrupted'],
  [undefined, 'interrupted'],
] as const)('judgeCommand: exit %s is %s', (exit, outcome) => {
  expect(judgeCommand(evidence({ exit }))).toMatchObject({ outcome });
});

test('the error shown is the first with a place in the code, never one of Facter', () => {
  const reader = createLogReader('/x/agent_catalog_run.lock');
  reader.add({ level: 'err', source: 'Facter', message: 'Permission denied' });
  reader.add({ level: 'output', message: 'some output' });
  reader.add({ level: 'err', message: 'first' });
  reader.add({ level: 'err', message: 'Could not find x (file: /etc/site.pp, line: 3, column: 5)' });
  expect(reader.findings()).toMatchObject({ error: { file: '/etc/site.pp', line: 3 }, namesRunLock: false });
  reader.add({ level: 'notice', message: 'siehe /x/agent_catalog_run.lock' });
  expect(reader.findings().namesRunLock).toBe(true);
});

// As Puppet 7.23 was seen to end on a signal, in its run and while it loaded its code.
test.each([
  ['Caught TERM; exiting', 'SIGTERM'],
  ['Caught INT; exiting', 'SIGINT'],
  ['Could not prepare for execution: SIGTERM', 'SIGTERM'],
  ['Could not autoload puppet/type/file: SIGTERM', 'SIGTERM'],
  ['Could not initialize global default settings: SIGTERM', 'SIGTERM'],
  ['SIGHUP', 'SIGHUP'],
  ['the unit ended with: SIGTERM, again', undefined],
  ['Could not find class SIGTERM', undefined],
] as const)('the signal that ended Puppet, from "%s"', (message, signal) => {
  const reader = createLogReader();
  reader.add({ level: 'err', message });
  expect(reader.findings().signal).toBe(signal);
});

test('readReport reads a real report', async () => {
  const path = join(import.meta.dirname, '..', 'lab', 'last_run_report.example.yaml');
  expect(await readReport(path)).toMatchObject({
    ...{ status: 'changed', transaction_completed: true, environment: 'production', job_id: 'kick-77' },
    resources: { total: expect.any(Number), changed: expect.any(Number) },
  });
});

test.each([
  ['an alias bomb', `a: &a [x, x]\n${'b: &b [*a, *a, *a]\n'.repeat(500)}status: changed\n`],
  ['20,000 deep', `status: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`],
  ['a Ruby object', 'status: !ruby/object:Gem::Installer\n  i: x\n'],
  ['no YAML', '\u0000\u0001 status: changed'],
  ['nothing', ''],
])('readReport gives plain data or nothing for %s', async (_what, text) => {
  const path = join(tempFolder(), 'report.yaml');
  writeFileSync(path, text);
  const found = await readReport(path);
  expect(found === undefined || found.status === 'changed').toBe(true);
});

test('catalogRunHolder follows the rule of Puppet, and an empty file counts while it is young', async () => {
  const path = join(tempFolder(), 'lock');
  const now = Date.now();
  expect(await catalogRunHolder(path, now)).toBeUndefined();
  writeFileSync(path, '');
  expect(await catalogRunHolder(path, now)).toMatchObject({ what: expect.stringContaining('begins') });
  expect(await catalogRunHolder(path, now + 6000)).toBeUndefined();
  writeFileSync(path, String(process.pid)); // alive, but no Puppet
  expect(await catalogRunHolder(path, now)).toBeUndefined();
  writeFileSync(path, '999999999');
  expect(await catalogRunHolder(path, now)).toBeUndefined();
});

test('readDisabled: an empty or broken file still disables', async () => {
  const path = join(tempFolder(), 'lock');
  expect(await readDisabled(path)).toBeUndefined();
  writeFileSync(path, '{"disabled_message":"maintenance"}');
  expect(await readDisabled(path)).toEqual({ reason: 'maintenance' });
  for (const text of ['', '{', '[]']) {
    writeFileSync(path, text);
    expect(await readDisabled(path)).toEqual({ reason: 'no reason given' });
  }
});

test('agentArguments has the fixed arguments, and of a request nothing but options of the closed set', () => {
  const base = { puppet: '/p', run: 'RUN', dir: '/d', logdest: null, extraOptions: [] };
  const plain = agentArguments({ ...base, action: { op: 'run' } });
  for (const word of [
    '--onetime',
    '--no-daemonize',
    '--no-splay',
    '--no-usecacheonfailure',
    '--no-use_cached_catalog',
    '--report',
    '--detailed-exitcodes',
  ]) {
    expect(plain).toContain(word);
  }
  expect(plain.slice(plain.indexOf('--logdest') + 1)[0]).toBe('syslog,/d/log.jsonl');
  const asked = agentArguments({
    ...base,
    logdest: '/var/log/p',
    action: { op: 'run', noop: false, environment: 'e', tags: ['a', 'b'] },
  });
  expect(asked).toEqual(
    expect.arrayContaining([
      '--no-noop',
      '--strict_environment_mode',
      '--environment',
      'e',
      '--tags',
      'a,b',
      '/var/log/p,/d/log.jsonl',
    ]),
  );
});
