/** DESIGN 3, "How a run is judged": what decides of a run. Long because it is one table of cases. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Evidence } from '../../src/agent/judge/evidence.ts';
import { judgeCommand, judgePuppet } from '../../src/agent/judge/judge.ts';
import type { LogFindings } from '../../src/agent/judge/log-findings.ts';
import { agentArguments } from '../../src/agent/puppet/command.ts';
import { readDisabled } from '../../src/agent/puppet/disabled-lock.ts';
import { catalogRunHolder } from '../../src/agent/puppet/lock-files.ts';
import { type ReportHead, readReport } from '../../src/agent/puppet/report.ts';
import { tempFolder } from '../support/temp.ts';

const report = (rest: Partial<ReportHead> = {}): ReportHead => ({
  ...{ status: 'unchanged', transaction_completed: true, noop: false, noop_pending: false },
  ...rest,
});
const said = (rest: Partial<LogFindings> = {}): LogFindings => ({
  ...{ isReason: false, isPuppets: false, hasConsole: false, isSilent: false },
  ...rest,
});
const evidence = (rest: Partial<Evidence>): Evidence => ({ action: { op: 'run' }, log: said(), ...rest });
const notes = { at: 1500, caught: [], isLocked: false, isDisabled: false };
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
  ['TERM while Puppet loads its code', { exit: 1, log: said({ signal: 'SIGTERM' }) }, 'interrupted'],
  [
    'an error of a run that only quotes a signal: a prerun command printed "deploy: SIGTERM"',
    { exit: 1, report: cut, log: said({ signal: 'SIGTERM', isReason: true }) },
    'failed',
  ],
  [
    "Puppet's handler saw it, whatever it ended with",
    { exit: 1, report: cut, log: said({ caught: 'SIGINT' }) },
    'interrupted',
  ],
  [
    'the whole session was ended, and nothing was said but a notice',
    { exit: 1, notes: { ...notes, caught: ['SIGTERM'] }, log: said({ lastNotice: 'x' }) },
    'interrupted',
  ],
  [
    'the session got HUP, which Puppet ignores, and then it failed',
    { exit: 1, notes: { ...notes, caught: ['SIGHUP'] }, log: said({ isReason: true }) },
    'failed',
  ],
  [
    'Ruby 3.3 in its first tenth of a second: exit 1, not a word',
    { exit: 1, startedAt: 1000, notes, log: said({ isSilent: true }), hasLog: false },
    'interrupted',
  ],
  [
    'not a word, but it had opened its log',
    { exit: 1, startedAt: 1000, notes, log: said({ isSilent: true }), hasLog: true },
    'failed',
  ],
  [
    'not a word in ten seconds',
    { exit: 1, startedAt: 1000, notes: { ...notes, at: 11_000 }, log: said({ isSilent: true }) },
    'failed',
  ],
  [
    'a run that completed, whatever its log says',
    { exit: 0, report: report(), log: said({ signal: 'SIGTERM' }) },
    'unchanged',
  ],
  ['a signal', { exit: 137 }, 'interrupted'],
  ['no record of the exit', {}, 'interrupted'],
  ['no record of the exit, but a completed report', { report: report({ status: 'changed' }) }, 'changed'],
  ['the catalog does not compile', { exit: 1, report: cut }, 'failed'],
  ['disabled', { exit: 1, disabled: { reason: 'why' } }, 'disabled'],
  [
    'disabled while Puppet crashed',
    { exit: 1, disabled: { reason: 'why' }, log: said({ isReason: true }) },
    'failed',
  ],
  ['disabled while a run went on', { exit: 2, disabled: { reason: 'why' } }, 'failed'],
  [
    'the cache was asked for, and a new catalog applied',
    {
      action: { op: 'run', useCachedCatalog: true },
      exit: 2,
      report: report({ status: 'changed', cached_catalog_status: 'not_used' }),
    },
    'failed',
  ],
  [
    'the cache was asked for, and a new catalog looked at',
    {
      action: { op: 'run', useCachedCatalog: true, noop: true },
      exit: 0,
      report: report({ noop: true, noop_pending: true, cached_catalog_status: 'not_used' }),
    },
    'failed',
  ],
  ['no report and no reason', { exit: 1 }, 'failed'],
])('judgePuppet: %s', (_what, given, outcome) => {
  expect(judgePuppet(evidence(given))).toMatchObject({ outcome });
});

test.each<[string, Partial<Evidence>, object]>([
  [
    'somebody holds it',
    { log: said({ lockTaken: 'taken (/x)' }), isLockHeld: true },
    { outcome: 'race-lost', isHeld: true },
  ],
  [
    'the holder has ended since',
    { log: said({ lockTaken: 'taken (/x)' }) },
    { outcome: 'race-lost', isHeld: false, otherwise: { message: expect.stringContaining('taken (/x)') } },
  ],
  [
    'log_level is above notice',
    { notes: { ...notes, isLocked: true }, hasLog: true },
    { outcome: 'race-lost', isHeld: false },
  ],
  [
    'Puppet could not make its lock',
    { log: said({ isReason: true, error: { message: 'Read-only file system - /x' } }), isLockHeld: true },
    { outcome: 'failed', error: { message: 'Read-only file system - /x' } },
  ],
  ['it has changed something', { exit: 2, isLockHeld: true }, { outcome: 'failed' }],
])('judgePuppet: the race for the lock, %s', (_what, given, verdict) => {
  expect(judgePuppet(evidence({ exit: 1, ...given }))).toMatchObject(verdict);
});

test('judgePuppet: disabled for a moment is disabled, in the words of Puppet', () => {
  const log = said({ saysDisabled: "Skipping run; administratively disabled (Reason: 'kernel');\nUse …" });
  expect(judgePuppet(evidence({ exit: 1, log }))).toEqual({
    outcome: 'disabled',
    message: "Skipping run; administratively disabled (Reason: 'kernel'); it has been enabled since",
  });
});

const others = (time: string) => report({ job_id: null, time });
const startedAt = Date.parse('2026-11-25T14:00:00Z');

test.each<[string, Partial<Evidence>, string]>([
  ['it ended with exit code 0, and no report of it was found', { exit: 0 }, 'interrupted'],
  ['it ended with exit code 0 before it had applied its catalog', { exit: 0, report: cut }, 'interrupted'],
  [
    "it ended with exit code 0, and the report at hand is another run's, which began at 2026-11-25 14:01 UTC",
    { exit: 0, othersReport: others('2026-11-25T14:01:00Z') },
    'interrupted',
  ],
  [
    "it ended with exit code 2, and the report at hand is another run's, which began at 2026-11-25 13:30 UTC",
    {
      exit: 2,
      othersReport: others('2026-11-25T13:30:00Z'),
      log: said({ error: { message: 'a last line' } }),
    },
    'failed',
  ],
  ['it was ended by SIGTERM', { exit: 0, log: said({ caught: 'SIGTERM' }) }, 'interrupted'],
  ['it was ended by SIGINT', { exit: 0, notes: { ...notes, caught: ['SIGHUP', 'SIGINT'] } }, 'interrupted'],
  ['it was ended by SIGKILL', { exit: 137 }, 'interrupted'],
  ['it was ended before it was done, and nobody saw how', {}, 'interrupted'],
  ['it was ended by SIGTERM', { log: said({ caught: 'SIGTERM' }) }, 'interrupted'],
  [
    'it crashed with SIGABRT: [BUG] Segmentation fault',
    { exit: 134, log: said({ isReason: true, error: { message: '[BUG] Segmentation fault' } }) },
    'interrupted',
  ],
  [
    'it ended with exit code 1 after it had said: Will man nicht',
    { exit: 1, log: said({ lastNotice: 'Will man nicht\nnein' }) },
    'failed',
  ],
  ['it ended with exit code 1 and gave no reason', { exit: 1 }, 'failed'],
])('judgePuppet says no more than is known: %s', (message, given, outcome) => {
  expect(judgePuppet(evidence({ startedAt, ...given }))).toMatchObject({ outcome, message });
});

// As `puppet apply` 7.23 was seen to end in its run.
test.each<[string, Partial<LogFindings>, string]>([
  ['TERM: an error of Puppet that quotes nobody', { plainSignal: 'SIGTERM', isPuppets: true }, 'interrupted'],
  ['INT: a word on the console', { hasConsole: true, isReason: true }, 'interrupted'],
  ['a prerun command that printed "deploy: SIGTERM"', { signal: 'SIGTERM', isPuppets: true }, 'failed'],
  ['an error, and something on the console', { hasConsole: true, isPuppets: true, isReason: true }, 'failed'],
])('puppet apply, %s', (_what, log, outcome) => {
  const given = { exit: 1, report: cut, isApply: true, log: said(log) };
  expect(judgePuppet(evidence(given))).toMatchObject({ outcome });
});

test('a command whose session was ended is interrupted', () => {
  const given = { exit: 1, notes: { ...notes, caught: ['SIGTERM'] } };
  expect(judgeCommand(evidence(given))).toMatchObject({ outcome: 'interrupted' });
  expect(judgeCommand(evidence({ ...given, exit: 2 }))).toMatchObject({ outcome: 'changed' });
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
  expect(verdict.outcome === 'race-lost' ? undefined : verdict.message).toBe(message);
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
  expect(await catalogRunHolder(path, Date.now())).toBeUndefined();
  writeFileSync(path, '');
  const now = Math.ceil(statSync(path).mtimeMs);
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
  expect(plain.slice(plain.indexOf('--logdest') + 1)[0]).toBe('/d/log.jsonl,syslog');
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
      '/d/log.jsonl,/var/log/p',
    ]),
  );
});
