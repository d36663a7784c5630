/** Findings of kick doctor from what hosts tell, and how they read. */
import { expect, test } from 'vitest';
import { endFinding } from '../../src/controller/fleet/end-findings.ts';
import type { Level } from '../../src/controller/fleet/finding.ts';
import { factFindings, statusFindings } from '../../src/controller/fleet/findings.ts';
import type { DoctorFacts } from '../../src/protocol/doctor.ts';
import type { AgentStatus } from '../../src/protocol/status.ts';
import { doctorText } from '../../src/report/doctor-text.ts';

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const MB = 1 << 20;
const well: DoctorFacts = {
  certificateEnds: NOW + 365 * DAY,
  crlEnds: NOW + 365 * DAY,
  folders: [{ what: 'state', path: '/var/lib/kick', freeBytes: 1024 * MB }],
  servers: [{ name: 'puppet', port: 8140 }],
  schedulers: [],
};
const status: AgentStatus = {
  ...{
    certname: 'web1.example.com',
    version: '1.0.0',
    runner: 'puppet-agent',
    time: NOW,
    uptime: 1,
    waiting: 0,
  },
  doctor: well,
};

const ca = (days: number, id = 'c') => ({ name: `CA ${id}`, sha256: id.repeat(64), ends: NOW + days * DAY });

const levels = (facts: Partial<DoctorFacts>, isPull = false): Level[] =>
  factFindings({ ...well, ...facts }, NOW, { isPull }).map(({ level }) => level);

test('a host that is well has no finding', () => {
  expect(statusFindings(status, { version: '1.0.0', now: NOW })).toEqual([]);
});

test.each([
  [31 * DAY, undefined],
  [29 * DAY, 'warning'],
  [6 * DAY, 'problem'],
  [-1, 'problem'],
])('endFinding %d ms before the end is %s', (left, level) => {
  expect(endFinding('its CRL', { ends: NOW + left, now: NOW, next: 'x' })[0]?.level).toBe(level);
});

test.each([
  ['certificate', { certificateEnds: NOW - DAY }, ['problem']],
  ['CRL', { crlEnds: NOW + DAY }, ['problem']],
  ['CA in time', { authorities: [ca(91)] }, []],
  ['CA soon', { authorities: [ca(91), ca(89)] }, ['warning']],
  ['CA at once', { authorities: [ca(6)] }, ['problem']],
  ['CA that is over, beside another', { authorities: [ca(-1), ca(400)] }, ['warning']],
  ['files that do not fit', { identityError: 'load the key: no' }, ['problem']],
  [
    'space low',
    { folders: [{ what: 'run', path: '/run/kick', freeBytes: 40 * MB, isTmpfs: true }] },
    ['warning'],
  ],
  ['space gone', { folders: [{ what: 'state', path: '/', freeBytes: 15 * MB }] }, ['problem']],
  ['no tmpfs', { folders: [{ what: 'run', path: '/', freeBytes: 400 * MB, isTmpfs: false }] }, ['remark']],
  ['no server', { servers: [] }, ['problem']],
  ['the only server', { servers: [{ name: 'puppet', port: 8140, error: 'refused' }] }, ['problem']],
  [
    'one of two servers',
    {
      servers: [
        { name: 'a', port: 8140, error: 'refused' },
        { name: 'b', port: 8140 },
      ],
    },
    ['warning'],
  ],
  ['stale lock', { staleLock: '/x names pid 1' }, ['remark']],
  ['no puppet', { puppetError: 'find puppet: none' }, ['problem']],
  ['a puppet.conf that Puppet cannot read', { puppetComplaint: 'Could not parse' }, ['warning']],
  ['one scheduler', { schedulers: ['puppet.service (enabled)'] }, ['remark']],
  ['two schedulers', { schedulers: ['puppet.service (enabled)', 'cron: /etc/crontab'] }, ['warning']],
] as [string, Partial<DoctorFacts>, Level[]][])('factFindings of %s', (_name, facts, expected) => {
  expect(levels(facts)).toEqual(expected);
});

test('a second scheduler beside pull mode is a warning', () => {
  expect(levels({ schedulers: ['puppet.service (enabled)'] }, true)).toEqual(['warning']);
});

test.each([
  ['clock 20 s off', { time: NOW + 20_000 }, []],
  ['clock 40 s off', { time: NOW - 40_000 }, ['warning']],
  ['clock 2 min off', { time: NOW + 120_000 }, ['problem']],
  ['another version', { version: '0.9.0' }, ['warning']],
  ['disabled', { disabled: { reason: 'x' } }, ['warning']],
  ['a stuck run', { running: { what: 'puppet agent', stuck: 'over its limit' } }, ['problem']],
  ['a run', { running: { what: 'puppet agent' } }, ['remark']],
  ['a lock without a run', { running: { what: 'sleep', isRun: false, stuck: 'x', next: 'y' } }, ['problem']],
  ['a lock that cannot be read', { obstacle: 'x' }, ['problem']],
  ['pull mode that is off', { pullOff: "Puppet's runinterval is 0" }, ['warning']],
  [
    'a broker that is known',
    { broker: { server: 'a:1', reconnects: 0, certificateEnds: NOW + 31 * DAY } },
    [],
  ],
  [
    'its certificate',
    { broker: { server: 'a:1', reconnects: 0, certificateEnds: NOW + 8 * DAY } },
    ['warning'],
  ],
  ['an agent that tells no more', { doctor: undefined }, ['remark']],
] as [string, Partial<AgentStatus>, Level[]][])('statusFindings of %s', (_name, more, expected) => {
  const found = statusFindings({ ...status, ...more }, { version: '1.0.0', now: NOW });
  expect(found.map(({ level }) => level)).toEqual(expected);
});

test('a host that does not know one of our CAs is named with it; an agent of before tells of none', () => {
  const ours = [ca(400, 'a'), ca(500, 'b')];
  const of = (authorities: DoctorFacts['authorities']) =>
    statusFindings(
      { ...status, doctor: { ...well, ...(authorities !== undefined && { authorities }) } },
      { version: '1.0.0', now: NOW, authorities: ours },
    ).map(({ what }) => what);
  expect(of([ca(400, 'a')])).toEqual(['it does not trust the CA "CA b", as this controller does']);
  expect([of(ours), of(undefined)]).toEqual([[], []]);
});

test('every finding but a remark says what to do', () => {
  const bad = { ...well, crlEnds: NOW, puppetError: 'x', servers: [{ name: 'p', port: 1, error: 'e' }] };
  for (const { next } of factFindings(bad, NOW)) expect(next).toMatch(/\w/);
});

test('doctorText names ten versions, the most first, and counts the others', () => {
  const patients = [...Array(14).keys()].map((number) => ({
    ...{ certname: `web${number}`, findings: [] },
    vitals: { kick: number < 2 ? '9.0.0' : `1.0.${number}`, clockAheadMs: 0 },
  }));
  expect(doctorText(patients)).toMatch(
    /^kick 9\.0\.0 on 2, (1\.0\.\d+ on 1, ){8}1\.0\.\d+ on 1 and 3 more\n14 hosts: /,
  );
});

test('doctorText groups hosts with the same finding, the worst first, and escapes what agents say', () => {
  const finding = (level: Level, what: string) => ({ level, what, next: 'x' });
  const text = doctorText([
    { certname: 'a', findings: [finding('warning', 'w')] },
    { certname: 'b', findings: [finding('problem', 'p\u001b[2J'), finding('warning', 'w')] },
    { certname: 'c', findings: [finding('remark', 'r')] },
  ]);
  expect(text).toMatch(/^problem {2}p\\x1b\[2J\n {9}on b\n[\s\S]*warning {2}w\n {9}on a, b\n/);
  expect(text).toContain('3 hosts: 1 well, 1 with problems, 2 with warnings');
});
