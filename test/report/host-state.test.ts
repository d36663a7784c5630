/** The state of a host in a word and in a line. */
import { expect, test } from 'vitest';
import { overdueText, stateOf } from '../../src/controller/fleet/host-state.ts';
import type { AgentStatus, LastRun } from '../../src/protocol/status.ts';
import { stateText } from '../../src/report/host-state.ts';
import { agoText } from '../../src/util/times.ts';
import { idle, MINUTE, NOW, target } from './idle-host.ts';

const answer = (more: Partial<AgentStatus> = {}) => ({ target, status: { ...idle, ...more } });

/** One with drift, as an agent tells it. */
function lastRun(status: LastRun['status'], more: Partial<LastRun> = {}): Partial<AgentStatus> {
  return { lastRun: { status, at: NOW - 9 * MINUTE, correctiveChange: true, ...more } };
}

test.each([
  ['idle; last run changed 9 minutes ago', {}],
  ['idle; no run is known', { lastRun: undefined }],
  ['idle', { runner: 'command', lastRun: undefined }],
  [
    'applying a catalog for 40s (pid 4242, job 00000001, by root@puppet)',
    {
      running: {
        ...{ pid: 4242, what: 'puppet agent, by kick', since: NOW - 40_000, by: 'root@puppet' },
        job: '01960000-0000-7000-8000-000000000001',
      },
    },
  ],
  [
    'applying a catalog for 40s (pid 7, puppet agent, not by kick)',
    { running: { pid: 7, what: 'puppet agent, not by kick', since: NOW - 40_000 } },
  ],
  [
    'applying a catalog since 2026-11-26 15:00:00, in the future by its clock (pid 7, puppet agent, not by kick)',
    { running: { pid: 7, what: 'puppet agent, not by kick', since: NOW + 1440 * MINUTE } },
  ],
  [
    'Puppet takes for a run: pid 7 (ruby, not by kick, "ruby /opt/app/puppet.rb", of www-data, begun 14:59:20), since 14:59:20; if it is none, remove it',
    {
      running: {
        ...{ pid: 7, what: 'ruby, not by kick', since: NOW - 40_000, began: NOW - 40_000 },
        ...{ command: 'ruby /opt/app/puppet.rb', user: 'www-data', next: 'if it is none, remove it' },
      },
    },
  ],
  [
    'no run can begin: the lock is held by pid 7 (ruby, not by kick, "ruby /opt/app/puppet.rb", of www-data, begun 14:59:20), since 2026-11-24 15:00:00; most likely another; remove it',
    {
      running: {
        ...{
          pid: 7,
          what: 'ruby, not by kick',
          since: NOW - 1440 * MINUTE,
          isRun: false,
          began: NOW - 40_000,
        },
        ...{
          command: 'ruby /opt/app/puppet.rb',
          user: 'www-data',
          stuck: 'most likely another',
          next: 'remove it',
        },
      },
    },
  ],
  [
    'applying a catalog for 2h 00m (pid 7, puppet agent, not by kick), stuck: over its limit (look at pid 7)',
    {
      running: {
        ...{ pid: 7, what: 'puppet agent, not by kick', since: NOW - 120 * MINUTE },
        ...{ stuck: 'over its limit', next: 'look at pid 7' },
      },
    },
  ],
  [
    'applying a catalog for 2h 00m (pid 7, by root@puppet), stuck: it has told nothing (kick cancel ends it)',
    {
      running: {
        ...{ pid: 7, what: 'puppet agent, by kick', since: NOW - 120 * MINUTE, by: 'root@puppet' },
        stuck: 'it has told nothing',
      },
    },
  ],
  [
    'no run can begin: the lock is a directory; last run changed 9 minutes ago',
    { obstacle: 'the lock is a directory' },
  ],
  [
    "idle; last run changed 9 minutes ago; pull mode is off: Puppet's runinterval is 0",
    { pullOff: "Puppet's runinterval is 0" },
  ],
  [
    "disabled: 'new disk' by root@puppet until 18:00; last run changed 9 minutes ago",
    { disabled: { reason: 'new disk', by: 'root@puppet', until: NOW + 180 * MINUTE } },
  ],
  ["disabled: 'x' by puppet agent --disable; last run changed 9 minutes ago", { disabled: { reason: 'x' } }],
  [
    'idle; last run changed (drift repaired, cached catalog) 9 minutes ago; next run at 15:20',
    {
      lastRun: {
        ...{ status: 'changed', at: NOW - 9 * MINUTE, correctiveChange: true },
        cachedCatalog: 'explicitly_requested',
      },
      pull: { intervalMs: 30 * MINUTE, nextAt: NOW + 20 * MINUTE, catalog: 'pushed' },
    },
  ],
  ['idle; last run failed (drift found, not repaired) 9 minutes ago', lastRun('failed', { drift: 'found' })],
  ['idle; last run failed (drift repaired in part) 9 minutes ago', lastRun('failed', { drift: 'partly' })],
  ['idle; last run failed (drift repaired) 9 minutes ago', lastRun('failed', { drift: 'repaired' })],
  ['idle; last run failed (drift found, not repaired) 9 minutes ago', lastRun('failed')],
  ['idle; last run unchanged (noop, drift found) 9 minutes ago', lastRun('unchanged', { noop: true })],
  [
    'idle; last run unchanged (all 9 resources skipped) 9 minutes ago',
    lastRun('unchanged', { correctiveChange: false, resources: { total: 9, skipped: 9 } }),
  ],
  [
    'idle; last run changed (environment production, its settings say nope) 9 minutes ago',
    lastRun('changed', { correctiveChange: false, environment: 'production', settingsEnvironment: 'nope' }),
  ],
  ['idle; last run changed just now', { lastRun: { status: 'changed', at: NOW + 1000 } }],
  [
    'idle; last run changed at 17:00, in the future by its clock',
    { lastRun: { status: 'changed', at: NOW + 120 * MINUTE } },
  ],
] as [string, Partial<AgentStatus>][])('stateText says "%s"', (text, more) => {
  expect(stateText(answer(more))).toBe(text);
});

test('stateText escapes what an agent says', () => {
  expect(stateText(answer({ disabled: { reason: '\u001b[2Jx\u202e' } }))).toContain("'\\x1b[2Jx\\u{202e}'");
});

test('stateOf tells a stuck run from one that goes on, and a dead host from all', () => {
  const running = { what: 'puppet agent, by kick' };
  expect(stateOf(answer({ running }))).toBe('applying');
  expect(stateOf(answer({ running: { ...running, stuck: 'over its limit' } }))).toBe('stuck');
  expect(stateOf(answer({ disabled: { reason: 'x' } }))).toBe('disabled');
  expect(stateOf({ target, error: 'refused' })).toBe('no answer');
});

test('stateOf calls a host stuck on which no run can begin', () => {
  expect(stateOf(answer({ obstacle: 'x' }))).toBe('stuck');
  expect(stateOf(answer({ running: { what: 'sleep', isRun: false, stuck: 'x' } }))).toBe('stuck');
  expect(overdueText(answer({ pullOff: 'x' }))).toBe('pull mode is off: x');
});

test('overdueText names who was disabled past the end, forgotten, or is late; nobody else', () => {
  const day = 24 * 60 * MINUTE;
  expect(overdueText(answer())).toBeUndefined();
  expect(overdueText(answer({ disabled: { reason: 'x', by: 'a@b', until: NOW + 1 } }))).toBeUndefined();
  expect(overdueText(answer({ disabled: { reason: 'x', by: 'a@b', until: NOW - 1 } }))).toMatch(/overdue/);
  expect(overdueText(answer({ disabled: { reason: 'x', by: 'a@b', since: NOW - day + 1 } }))).toBeUndefined();
  expect(overdueText(answer({ disabled: { reason: 'x', by: 'a@b', since: NOW - day } }))).toMatch(
    /without an end/,
  );
  expect(overdueText(answer({ disabled: { reason: 'x' } }))).toMatch(/nobody knows since when/);
  const pull = { intervalMs: 30 * MINUTE, catalog: 'new' as const };
  expect(overdueText(answer({ pull: { ...pull, nextAt: NOW - 29 * MINUTE } }))).toBeUndefined();
  expect(overdueText(answer({ pull: { ...pull, nextAt: NOW - 31 * MINUTE } }))).toMatch(
    /overdue since 14:29/,
  );
});

test.each([
  [0, 'just now'],
  [1000, '1 second ago'],
  [59_999, '59 seconds ago'],
  [MINUTE, '1 minute ago'],
  [119 * MINUTE, '119 minutes ago'],
  [120 * MINUTE, '2 hours ago'],
  [48 * 60 * MINUTE, '2 days ago'],
  [-5000, 'just now'],
  [999, 'just now'],
])('agoText of %d ms is "%s"', (ms, text) => {
  expect(agoText(ms)).toBe(text);
});
