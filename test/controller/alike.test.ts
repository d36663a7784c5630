/** Which failures are one group: those that differ only in what each host has of its own. */
import { expect, test } from 'vitest';
import { findingGroups } from '../../src/controller/fleet/finding-groups.ts';
import { resultGroups } from '../../src/controller/fleet/result-groups.ts';
import { silentHosts } from '../../src/controller/fleet/silent-hosts.ts';
import type { HostResult } from '../../src/controller/jobs/job.ts';

const failed = (certname: string, message: string): HostResult => ({
  ...{ certname, outcome: 'failed', endedAt: 0 },
  finished: { type: 'finished', outcome: 'failed', endedAt: 0, error: { message } },
});
const target = (certname: string, host = certname) => ({ certname, host, port: 8139 });

/** What two hosts say, and how many groups that is. */
function groupsOf(first: string, second: string, names = ['web07.example.com', 'web12.example.com']) {
  const [one = '', other = ''] = names;
  return resultGroups([failed(one, first), failed(other, second)]);
}

test.each([
  ['word for word the same', 'no space left on device', 'no space left on device'],
  ['an address', 'connect to 10.1.2.3 failed', 'connect to 10.1.2.4 failed'],
  ['address and port', 'connect ECONNREFUSED 10.0.0.7:43210', 'connect ECONNREFUSED 192.168.10.8:8140'],
  ['a URL', 'GET https://10.0.0.7:8140/puppet failed', 'GET https://10.0.0.8:8140/puppet failed'],
  ['IPv6', 'no route to fe80::1%eth0: timeout', 'no route to 2001:db8::17: timeout'],
  ['IPv6 in brackets', 'refused by [::1]:8140', 'refused by [2001:db8::2]:8141'],
  ['IPv4 and IPv6', 'refused by 10.0.0.1.', 'refused by ::1.'],
  ['a hardware address', 'link 52:54:00:12:34:56 is down', 'link 52:54:00:ab:cd:ef is down'],
  ['a port alone', 'port 43210 refused', 'port 8139 refused'],
  ['a pid', 'the lock is held by pid 4123 (ruby)', 'the lock is held by pid 7 (ruby)'],
  ['a process', 'process 4123 was killed', 'process 99 was killed'],
  ['a pid in brackets', 'puppet-agent[812]: gone', 'puppet-agent[9]: gone'],
  ['ISO times', 'expired at 2026-11-27T09:27:07Z', 'expired at 2026-11-28T10:00:00.123+01:00'],
  ["Puppet's times", 'at 2026-11-27 09:27:07 +0000 it was gone', 'at 2026-01-02 00:00:00 +0100 it was gone'],
  ["Ruby's times", 'since Fri Nov 27 09:27:07 +0000 2026', 'since Sat Nov 28 09:27:08 UTC 2026'],
  ["OpenSSL's times", 'notAfter Nov 27 09:27:07 2026 GMT', 'notAfter Jan  2 00:00:00 2027 GMT'],
  ["HTTP's times", 'until Fri, 27 Nov 2026 09:27:07 GMT', 'until Sat, 28 Nov 2026 09:27:08 GMT'],
  ["syslog's times", 'Nov 27 09:27:07 oom killer', 'Nov  7 10:00:00 oom killer'],
  ['a clock', 'since 09:27:07, held', 'since 23:59:59, held'],
  ['a clock without seconds', "disabled: 'x' until 18:00", "disabled: 'x' until 09:05"],
  ['a date', 'the lease ended on 2026-11-27', 'the lease ended on 2025-01-01'],
  ['durations', 'its clock is 59m 59s behind ours', 'its clock is 1h 00m behind ours'],
  ['seconds', 'execution expired after 0.35 seconds', 'execution expired after 12 seconds'],
  ['milliseconds', 'no answer within 300ms', 'no answer within 2s'],
  ['a UUID', 'see 01a21c58-7e28-7660-8515-132657d320f1', 'see 5b1c8f0e-0000-4000-8000-0123456789ab'],
  ['the id of a request', 'request id: 5f0c2a91 failed', 'request id: 00ab12cd failed'],
  ['the id of a job', 'held for job e41c07aa', 'held for job 57d320f1'],
  [
    'a temporary file',
    "'/bin/visudo -cf /tmp/puppet-file20261127-812-1hq8h6j' returned 1",
    "'/bin/visudo -cf /tmp/puppet-file20261128-9-x2' returned 1",
  ],
  ['an object of Ruby', '#<Puppet::Error:0x000055d0c8a1>', '#<Puppet::Error:0x00007f00aa11>'],
  ['the full name', 'Could not find node web07.example.com', 'Could not find node web12.example.com'],
  ['the name in other letters', 'no such name: WEB07.example.com', 'no such name: web12.Example.COM'],
  ['the short name', 'Could not find node web07', 'Could not find node web12'],
  ['a path', 'cannot read /etc/ssl/web07.pem', 'cannot read /etc/ssl/web12.pem'],
  ['a path with the full name', 'no /ssl/certs/web07.example.com.pem', 'no /ssl/certs/web12.example.com.pem'],
  ['a resource that is such a path', 'File[/srv/web07/x]: no', 'File[/srv/web12/x]: no'],
  ['a resource of the full name', 'Vhost[web07.example.com]: no', 'Vhost[web12.example.com]: no'],
  ['all of it', 'pid 7 on web07 from 10.0.0.1 at 09:27:07', 'pid 8 on web12 from 10.0.0.2 at 10:00:00'],
])('failures that differ in %s are one group', (_what, first, second) => {
  const groups = groupsOf(first, second);
  expect(groups).toEqual([
    {
      outcome: 'failed',
      reason: first,
      isExample: first !== second,
      certnames: ['web07.example.com', 'web12.example.com'],
    },
  ]);
});

test.each([
  ['an exit code', 'exited with 1', 'exited with 2'],
  [
    "an exec's code",
    "'/bin/x' returned 1 instead of one of [0]",
    "'/bin/x' returned 4 instead of one of [0]",
  ],
  ['a signal', 'ended by signal 9', 'ended by signal 15'],
  ['a resource', 'Service[httpd] failed', 'Service[nginx] failed'],
  ['a number in a resource', 'Exec[step 1] failed', 'Exec[step 2] failed'],
  ['a time in a resource', 'Exec[sleep 5s] failed', 'Exec[sleep 10s] failed'],
  ['a date in a resource', 'File[/srv/2026-11-27] failed', 'File[/srv/2026-11-28] failed'],
  ['an address in a resource', 'Host[10.0.0.1] failed', 'Host[10.0.0.2] failed'],
  ['a title with brackets', 'Exec[test [ -e /a ]] failed', 'Exec[test [ -e /b ]] failed'],
  ['a command', "'sleep 5s' returned 1", "'sleep 10s' returned 1"],
  ['a line of the code', 'syntax error (/site.pp:41)', 'syntax error (/site.pp:42)'],
  ['line and column', 'error at /site.pp:12:30', 'error at /site.pp:12:31'],
  ['a version', 'cannot install version 1.2.3.4', 'cannot install version 1.2.3.5'],
  ['a version in a name', 'no package puppet-agent-7.23.0.1', 'no package puppet-agent-7.24.0.1'],
  ['a word', 'connection refused by 10.0.0.1', 'connection reset by 10.0.0.2'],
  ['ahead and behind', 'its clock is 2m 00s behind ours', 'its clock is 2m 00s ahead of ours'],
  ['another path', 'cannot read /etc/a', 'cannot read /etc/b'],
  ['another host', 'no answer from db1.example.com', 'no answer from db2.example.com'],
  ['a fingerprint', 'is AB:12:34:56:CD, not ours', 'is AB:12:34:57:CD, not ours'],
  ['a commit', 'the catalog is of 3f2a91c', 'the catalog is of 77aa01e'],
])('failures that differ in %s are two groups', (_what, first, second) => {
  expect(groupsOf(first, second)).toHaveLength(2);
});

test.each([
  ['numbers', 'exited with 1', 'exited with 2', ['1.example.com', '2.example.com']],
  ['words', 'mail is not running', 'ldap is not running', ['mail.example.com', 'ldap.example.com']],
  ['services', 'Service[tomcat8] failed', 'Service[tomcat9] failed', ['tomcat8.x', 'tomcat9.x']],
  ['the end of others', 'www.web1.x is down', 'www.web2.x is down', ['web1.x', 'web2.x']],
  ['parts of words', 'cannot find axb1', 'cannot find axb2', ['xb1.x', 'xb2.x']],
])('hosts that are called like %s do not make different failures one', (_what, first, second, names) => {
  expect(groupsOf(first, second, names)).toHaveLength(2);
});

test('whatever hosts are called, word for word the same is one group, and not an example', () => {
  const names = ['failed.example.com', 'no7.example.com', 'disk'];
  const groups = resultGroups(names.map((name) => failed(name, 'no7 failed: disk full')));
  expect(groups).toMatchObject([{ certnames: names, isExample: false }]);
});

test('outcomes are never mixed; they come in the order of the table, the largest group first', () => {
  const results: HostResult[] = [
    { certname: 'a', outcome: 'unreachable', endedAt: 0, message: 'x' },
    failed('b', 'rare'),
    failed('c', 'often'),
    failed('d', 'often'),
    { certname: 'e', outcome: 'lost', endedAt: 0, message: 'x' },
    failed('f', ''),
  ];
  expect(resultGroups(results).map(({ outcome, certnames }) => [outcome, ...certnames])).toEqual([
    ['failed', 'c', 'd'],
    ['failed', 'b'],
    ['failed', 'f'],
    ['unreachable', 'a'],
    ['lost', 'e'],
  ]);
});

test('hosts that are reached elsewhere than by their names, and hosts that are busy', () => {
  const unreachable = (certname: string, host: string): HostResult => ({
    ...{ certname, outcome: 'unreachable', endedAt: 0 },
    message: `the name "${host}" does not resolve`,
  });
  const results = [unreachable('a.x', 'mgmt-7.dmz'), unreachable('b.x', 'mgmt-8.dmz')];
  expect(resultGroups(results)).toHaveLength(2);
  expect(resultGroups(results, [target('a.x', 'mgmt-7.dmz'), target('b.x', 'mgmt-8.dmz')])).toHaveLength(1);
  const busy = (certname: string, pid: number): HostResult => ({
    ...{ certname, outcome: 'busy', endedAt: 0 },
    finished: {
      ...{ type: 'finished', outcome: 'busy', endedAt: 0 },
      holder: { pid, what: 'puppet agent, not by kick' },
    },
  });
  expect(resultGroups([busy('a', 1), busy('b', 2)])).toMatchObject([
    { reason: 'pid 1 (puppet agent, not by kick)', isExample: true, certnames: ['a', 'b'] },
  ]);
});

test('findings and hosts that are silent are grouped by the same rule', () => {
  const finding = (minutes: number) => ({
    ...{ level: 'problem' as const, what: `its clock is ${minutes}m 00s behind ours`, next: 'check NTP' },
  });
  expect(
    findingGroups([
      { certname: 'a', findings: [finding(2), { level: 'remark', what: 'x' }] },
      { certname: 'b', findings: [finding(3)] },
    ]),
  ).toMatchObject([
    { level: 'problem', what: 'its clock is 2m 00s behind ours', isExample: true, certnames: ['a', 'b'] },
    { level: 'remark', certnames: ['a'] },
  ]);
  const answers = [
    { target: target('a', '10.0.0.1'), error: 'port 8139 of "10.0.0.1" refused' },
    { target: target('b', '10.0.0.2'), error: 'port 8139 of "10.0.0.2" refused' },
    { target: target('c') },
  ];
  expect(silentHosts(answers)).toEqual([
    { error: 'port 8139 of "10.0.0.1" refused', isExample: true, certnames: ['a', 'b'] },
    { error: 'no answer', isExample: false, certnames: ['c'] },
  ]);
});
