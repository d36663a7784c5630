/** What a run tells of its resources, from reports as Puppet writes them, and as nobody should. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastRunIn } from '../../src/agent/puppet/last-run.ts';
import { driftIn } from '../../src/agent/puppet/report-drift.ts';
import { resourcesOf } from '../../src/agent/puppet/report-resources.ts';
import { MAX_EVENT_BYTES } from '../../src/protocol/event.ts';
import { tempFolder } from '../support/temp.ts';

const EXAMPLE = join(import.meta.dirname, '..', 'lab', 'last_run_report.example.yaml');

async function resourcesIn(yaml: string) {
  const path = join(tempFolder(), 'report.yaml');
  writeFileSync(path, yaml);
  const events = await resourcesOf(path);
  const more = events.reduce((sum, event) => sum + (event.more ?? 0), 0);
  return { events, more, resources: events.flatMap(({ resources }) => resources) };
}

const block = (
  name: string,
  flags: Record<string, unknown>,
  events = '    events: []',
) => `  ${name}: !ruby/object:Puppet::Resource::Status
    title: x
    file: "/etc/site.pp"
    line: 7
    resource: ${name}
    containment_path:
    - Stage[main]
    tags: *1
    failed: ${flags['failed'] ?? false}
    failed_to_restart: ${flags['failed_to_restart'] ?? false}
    changed: ${flags['changed'] ?? false}
    out_of_sync: ${flags['out_of_sync'] ?? false}
${events}
    corrective_change: ${flags['corrective'] ?? false}
`;
const event = (status: string, more = '') => `    events:
    - !ruby/object:Puppet::Transaction::Event
      audited: false
      property: ensure
      previous_value: &2 !ruby/sym absent
      desired_value: !ruby/sym present
      message: created
      name: file_created
      status: ${status}${more}`;
const report = (...blocks: string[]) => `--- !ruby/object:Puppet::Transaction::Report
host: a
resource_statuses:
${blocks.join('')}time: '2026-11-23T14:33:18.224988385+00:00'
`;

test("Puppet's own report tells the file that it changed, with old and new", async () => {
  const { resources, more } = await resourcesIn(readFileSync(EXAMPLE, 'utf8'));
  expect(more).toBe(0);
  expect(resources).toHaveLength(1);
  expect(resources[0]).toMatchObject({
    resource: 'File[/tmp/puppet-lab/agents/agent1.lab/managed/message]',
    status: 'changed',
    line: 16,
    events: [
      {
        property: 'content',
        status: 'success',
        old: expect.stringMatching(/^\{sha256\}5891/),
        new: expect.stringMatching(/^\{sha256\}1842/),
      },
    ],
  });
  expect(resources[0]?.events[0]?.message).toMatch(/content changed .* to /);
});

test('failed comes first, then changed and pending; what is as it should be is not told', async () => {
  const { resources } = await resourcesIn(
    report(
      block('File[/a]', { changed: true, out_of_sync: true, corrective: true }, event('success')),
      block('File[/same]', {}),
      block('Service[x]', { failed: true }, event('failure')),
      block('Exec[y]', { failed_to_restart: true }, event('failure')),
      block('File[/b]', { out_of_sync: true }, event('noop')),
      block('File[/audit]', { out_of_sync: true }, event('audit')),
    ),
  );
  expect(resources.map(({ resource, status }) => `${resource} ${status}`)).toEqual([
    ...['Service[x] failed', 'Exec[y] failed', 'File[/a] changed', 'File[/b] pending'],
  ]);
  expect(resources[2]).toEqual({
    ...{ resource: 'File[/a]', status: 'changed', corrective: true, file: '/etc/site.pp', line: 7 },
    events: [{ property: 'ensure', old: 'absent', new: 'present', message: 'created', status: 'success' }],
  });
});

test('long names, redacted values, lists, and text of several lines are told', async () => {
  const long = `File[/${'x'.repeat(200)}]`;
  const { resources } = await resourcesIn(
    report(
      `  ? ${long}\n  : title: x\n    resource: ${long}\n    changed: true\n${event('success')}\n`,
      block(
        'File[/secret]',
        { changed: true },
        `    events:\n    - property: content\n      previous_value: "[old password redacted]"\n      desired_value:\n      - a\n      - 'ü'\n      message: |-\n        changed\n        twice\n      status: success`,
      ),
    ),
  );
  expect(resources[0]?.resource).toBe(long);
  expect(resources[1]?.events).toEqual([
    {
      property: 'content',
      old: '[old password redacted]',
      new: '["a","ü"]',
      message: 'changed\ntwice',
      status: 'success',
    },
  ]);
});

test('thousands of changes are bounded: 500, the failed ones among them, and how many are left', async () => {
  const many = Array.from({ length: 5000 }, (_, i) =>
    block(`File[/${i}]`, { changed: true }, event('success')),
  );
  const { events, resources, more } = await resourcesIn(
    report(...many, block('Exec[last]', { failed: true }, event('failure'))),
  );
  expect(resources.length + more).toBe(5001);
  expect(resources.length).toBeLessThanOrEqual(500);
  expect(resources[0]?.resource).toBe('Exec[last]');
  for (const one of events) expect(JSON.stringify(one).length).toBeLessThan(MAX_EVENT_BYTES);
  expect(JSON.stringify(events).length).toBeLessThan(300 * 1024);
});

test('what is hostile is passed over, and the rest is told', async () => {
  const bomb = `    events:\n    - &a [x,x]\n    - &b [*a,*a]\n    - *b`;
  const deep = `    events: ${'['.repeat(20_000)}`;
  const { resources } = await resourcesIn(
    report(
      block('File[/bomb]', { changed: true }, bomb),
      block('File[/deep]', { changed: true }, deep),
      block(
        'File[/object]',
        { changed: true },
        event('success', '\n      name: !ruby/object:Gem::Installer {}'),
      ),
      block('File[/wide]', { changed: true }, event('success', `\n      extra: ${'y'.repeat(10 << 20)}`)),
      `  File[/half]:\n    changed: true\n    resource: [\n`,
      block('File[/good]', { changed: true }, event('success')),
    ),
  );
  expect(resources.map(({ resource }) => resource)).toContain('File[/good]');
  expect(resources.map(({ resource }) => resource)).not.toContain('File[/half]');
  expect(JSON.stringify(resources).length).toBeLessThan(10_000);
});

test('a resource whose events cannot be read is told without them, and one without a name is counted', async () => {
  const broken = '    events:\n    - message: [\n      status: failure';
  const { resources, more } = await resourcesIn(
    report(
      block('Exec[broken]', { failed: true }, broken),
      '  Exec[nameless]:\n    resource: [\n    failed: true\n',
      block('File[/b]', { out_of_sync: true }, broken),
      block('File[/after]', { changed: true }, event('success')),
    ),
  );
  expect(resources.map(({ resource, status }) => `${resource} ${status}`)).toEqual([
    ...['Exec[broken] failed', 'File[/b] pending', 'File[/after] changed'],
  ]);
  expect(resources[0]?.events).toEqual([]);
  expect(more).toBe(1);
});

test('twenty events of the longest texts still fit into an event of ours', async () => {
  const long = `"${'\\u65e5'.repeat(2000)}"`;
  const one = `    - property: content\n      previous_value: ${long}\n      message: ${long}\n      status: success\n`;
  const { events, resources } = await resourcesIn(
    report(block('File[/a]', { changed: true }, `    events:\n${one.repeat(100)}`)),
  );
  expect(resources[0]?.events.length).toBeGreaterThan(5);
  for (const told of events) expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(MAX_EVENT_BYTES);
});

const corrective = (status: string) => event(status, '\n      corrective_change: true');

test.each<[string, string[], string | undefined]>([
  ['repaired', [block('File[/a]', { changed: true, corrective: true }, corrective('success'))], 'repaired'],
  ['beyond repair', [block('File[/a]', { failed: true, corrective: true }, corrective('failure'))], 'found'],
  [
    'found by noop',
    [block('File[/a]', { out_of_sync: true, corrective: true }, corrective('noop'))],
    'found',
  ],
  [
    'repaired beside another failure of the same resource',
    [
      block(
        'File[/a]',
        { failed: true, changed: true, corrective: true },
        `${corrective('success')}\n${event('failure').split('\n').slice(1).join('\n')}`,
      ),
    ],
    'repaired',
  ],
  [
    'repaired in one of two resources',
    [
      block('File[/a]', { changed: true, corrective: true }, corrective('success')),
      block('File[/b]', { failed: true, corrective: true }, corrective('failure')),
    ],
    'partly',
  ],
  [
    'repaired, without a word in its events',
    [block('File[/a]', { changed: true, corrective: true })],
    'repaired',
  ],
  ['none', [block('File[/a]', { changed: true }, event('success'))], undefined],
  [
    'none, whatever a message says',
    [
      block(
        'File[/a]',
        { changed: true },
        `${event('success')}\n      message: |-\n        corrective_change: true\n        status: success`,
      ),
    ],
    undefined,
  ],
])('drift that is %s', async (_what, blocks, drift) => {
  const path = join(tempFolder(), 'report.yaml');
  writeFileSync(path, `${report(...blocks)}status: changed\ncorrective_change: true\n`);
  expect(await driftIn(path)).toBe(drift);
  expect((await lastRunIn(path))?.drift).toBe(drift);
});

test('no report is no resources', async () => {
  expect(await resourcesOf('/nonexistent/report.yaml')).toEqual([]);
  expect((await resourcesIn('junk: [')).events).toEqual([]);
});
