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
    '  1 host: 1 resource of which the report tells no more  (a)',
  ]);
  expect(changeGroups([result('a', [])])).toEqual([]);
  const seven = [...'1234567'].map((name) => resource(`File[/${name}]`));
  expect(changeGroups([result('a', seven, 3)]).at(-1)).toBe('          and 5 resources more  (a)');
});

test('each resource has its events, and the rest is counted', () => {
  const lines = changeLines([resource('File[/x]', { file: '/site.pp', line: 7 })], 3);
  expect(lines).toEqual(['  File[/x] content  (/site.pp:7)', '      content', '  and 3 resources more']);
  expect(changeLines([], 1)).toEqual(['  1 resource of which the report tells no more']);
  expect(changeLines([])).toEqual([]);
});

test('drift is named beside the resource, repaired or not', () => {
  const failure = { status: 'failure' as const, message: 'no space' };
  expect(changeLines([resource('File[/x]', { corrective: true })])[0]).toBe('  File[/x] content (drift)');
  const failed = resource('File[/y]', { status: 'failed', corrective: true, events: [failure] });
  expect(changeLines([failed])[0]).toBe('  File[/y] failed (drift): no space');
});
