/** What changed, in words; and what could not be told is counted. */
import { expect, test } from 'vitest';
import type { ResourceChange } from '../../src/protocol/event.ts';
import { changeGroups, changeLines } from '../../src/report/changes.ts';

const resource = (name: string, more: Partial<ResourceChange> = {}): ResourceChange => ({
  ...{ resource: name, status: 'changed', events: [{ property: 'content', status: 'success' }] },
  ...more,
});
const result = (certname: string, resources: ResourceChange[], moreResources?: number) => ({
  ...{ certname, outcome: 'changed' as const, endedAt: 0, resources },
  ...(moreResources !== undefined && { moreResources }),
});

test('what a host could not tell is counted behind what it told, and alone', () => {
  expect(changeGroups([result('a', [resource('File[/x]')])])).toEqual(['  1 host: File[/x] content  (a)']);
  expect(changeGroups([result('a', [resource('File[/x]')], 2)])).toEqual([
    '  1 host: File[/x] content',
    '          and 2 resources more  (a)',
  ]);
  expect(changeGroups([result('a', [], 1)])).toEqual([
    '  1 host: 1 resource of which the report has no details  (a)',
  ]);
  expect(changeGroups([result('a', [])])).toEqual([]);
  const seven = [...'1234567'].map((name) => resource(`File[/${name}]`));
  expect(changeGroups([result('a', seven, 3)]).at(-1)).toBe('          and 5 resources more  (a)');
});

test('hosts with the same changes are one group, folded', () => {
  const names = [...Array(412).keys()].map((number) => `web${number}.x`);
  expect(changeGroups(names.map((name) => result(name, [resource('File[/x]')])))).toEqual([
    '  412 hosts: File[/x] content  (web[0-411].x)',
  ]);
  const scattered = names.filter((_name, index) => index % 2 === 0);
  expect(changeGroups(scattered.map((name) => result(name, [resource('File[/x]')])))).toEqual([
    '  206 hosts: File[/x] content  (web[0,2,4,6,8].x and 201 more)',
  ]);
});

test('changes that differ in the name of the host are one group, those of other files or states are not', () => {
  const own = (name: string) => result(name, [resource(`File[/etc/ssl/${name}.pem]`), resource('File[/x]')]);
  expect(changeGroups([own('web1.x'), own('web2.x')])).toEqual([
    '  2 hosts: e.g. File[/etc/ssl/web1.x.pem] content',
    '                File[/x] content  (web[1-2].x)',
  ]);
  const versions = ['File[/srv/1.0]', 'File[/srv/1.1]'].map((title, at) =>
    result(`web${at}.x`, [resource(title)]),
  );
  expect(changeGroups(versions)).toHaveLength(2);
  const pending = result('web2.x', [resource('File[/x]', { status: 'pending' })]);
  expect(changeGroups([result('web1.x', [resource('File[/x]')]), pending])).toHaveLength(2);
});

test('each resource has its events, and the rest is counted', () => {
  const lines = changeLines([resource('File[/x]', { file: '/site.pp', line: 7 })], 3);
  expect(lines).toEqual(['  File[/x] content  (/site.pp:7)', '      content', '  and 3 resources more']);
  expect(changeLines([], 1)).toEqual(['  1 resource of which the report has no details']);
  expect(changeLines([])).toEqual([]);
});

test('drift is named beside the resource, repaired or not', () => {
  const failure = { status: 'failure' as const, message: 'no space' };
  expect(changeLines([resource('File[/x]', { corrective: true })])[0]).toBe('  File[/x] content (drift)');
  const failed = resource('File[/y]', { status: 'failed', corrective: true, events: [failure] });
  expect(changeLines([failed])[0]).toBe('  File[/y] failed (drift): no space');
});
