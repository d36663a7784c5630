/** Reports are read as their writer means them: Ruby's YAML. Against Ruby itself: test/interop/ruby-yaml.test.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readReport } from '../../src/agent/puppet/report.ts';
import { resourcesOf } from '../../src/agent/puppet/report-resources.ts';
import { parseRubyYaml } from '../../src/agent/puppet/ruby-yaml.ts';
import { isScalar, rubyScalar, rubyText } from '../../src/util/ruby-scalar.ts';
import { tempFolder } from '../support/temp.ts';

// As Ruby 3.1 answered `YAML.load(text).to_s`.
test.each([
  ['4187e02', '4187e02'],
  ['1e5', '1e5'],
  ['08', '08'],
  ['010', '8'],
  ['0x1F', '31'],
  ['0o17', '0o17'],
  ['1_000', '1000'],
  ['1,000', '1000'],
  ['1.50', '1.5'],
  ['3.', '3.0'],
  ['1.e+20', '1.0e+20'],
  ['0.00001', '1.0e-05'],
  ['.inf', 'Infinity'],
  ['1:30', '5400'],
  ['-1:30:05', '-1795'],
  ['12345678901234567890', '12345678901234567890'],
  ['yes', 'true'],
  ['Off', 'false'],
  ['y', 'y'],
  ['~', ''],
  ['NULL', ''],
  [':absent', 'absent'],
  ['2026-1-2', '2026-01-02'],
  ['2026-02-30', '2026-02-30'],
  ['refs/heads/main', 'refs/heads/main'],
])('the scalar %s is "%s" to Ruby', (text, told) => {
  expect(rubyText(rubyScalar(text))).toBe(told);
});

test.each([
  ['2026-11-23 14:33:16.224988385 +00:00', '2026-11-23T14:33:16.224Z'],
  ['2026-11-23T14:33:16-05:30', '2026-11-23T20:03:16.000Z'],
  ['2026-11-23 14:33:16 Z', '2026-11-23T14:33:16.000Z'],
])('the scalar %s is a time', (text, iso) => {
  expect(rubyScalar(text)).toEqual(new Date(iso));
});

test('tags make plain data, references outside of the text are null, and bombs are refused', async () => {
  expect(
    await parseRubyYaml(
      'a: !ruby/object:Gem::Installer\n  b: !ruby/sym c\nd: !binary |-\n  w7w=\ne: !!str 4187\nf: *1\ng: &x [1]\nh: *x\n',
    ),
  ).toEqual({ a: { b: 'c' }, d: 'ü', e: '4187', f: null, g: [1], h: [1] });
  const bomb = `a: &a [x, x]\n${'b: &b [*a, *a, *a]\n'.repeat(500)}`;
  expect(await parseRubyYaml(bomb)).toBeUndefined();
  expect(await parseRubyYaml(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)).toBeUndefined();
  expect(isScalar({})).toBe(false);
});

async function reportOf(head: string) {
  const path = join(tempFolder(), 'report.yaml');
  writeFileSync(
    path,
    `--- !ruby/object:Puppet::Transaction::Report\nhost: a\n${head}status: changed\ntransaction_completed: true\nlogs:\n- level: info\n`,
  );
  return readReport(path);
}

const LONG = 'c1: a long message that goes on and on until it has reached the eightieth column of';

test.each([
  [`'${LONG}\n  the line'\n`, `${LONG} the line`],
  [`"${LONG}\\\n  \\ the line\\nsecond: line"\n`, `${LONG} the line\nsecond: line`],
  [`${LONG.slice(4)}\n  the line\n`, `${LONG.slice(4)} the line`],
  ['|-\n  first\n\n  status: failed\n', 'first\n\nstatus: failed'],
  ['|\n  first\n  second\n', 'first\nsecond\n'],
  ['|+\n  first\n\n', 'first\n\n'],
  ['>-\n  first\n  half\n\n  second\n', 'first half\nsecond'],
  ["'über\n\n  Maß'\n", 'über\nMaß'],
  ['"caf\\u00e9 \\U0001F600 \\x41\\0"\n', 'café 😀 A\0'],
  ['4187e02\n', '4187e02'],
  ['418700\n', '418700'],
  ["'418700'\n", '418700'],
  ['!binary |-\n  w7w=\n', 'ü'],
  ['# a remark\n  behind\n', 'behind'],
  ['&1 x\ncode_id: *1\n', 'x'],
  ['first\nconfiguration_version: second\n', 'second'],
  // What ends a line in YAML 1.1 and is no `\n`.
  ["'a\u2028  b'\n", 'a\u2028b'],
  ['|-\n  a\n  b\u2028', 'a\nb\u2028'],
])('a configuration_version of %j is read, and what stands beside it', async (yaml, version) => {
  const expected = { status: 'changed', transaction_completed: true, configuration_version: version };
  expect(await reportOf(`configuration_version: ${yaml}`)).toMatchObject(expected);
  expect(await reportOf(`configuration_version: ${yaml.replaceAll('\n', '\r\n')}`)).toMatchObject(expected);
});

test('a value that cannot be read, or is no scalar, takes no other with it', async () => {
  for (const yaml of [
    '@x',
    '- a',
    'a: b',
    '"never closed',
    '[1, 2]',
    '{a: 1}',
    '!ruby/object:X\n  a: 1',
    '*9',
  ]) {
    const head = await reportOf(`configuration_version: ${yaml}\nenvironment: production\n`);
    expect(head, yaml).toMatchObject({ status: 'changed', environment: 'production' });
    expect(head?.configuration_version ?? null, yaml).toBeNull();
  }
});

test.each([
  ['in single quotes', `'${"it''s ".repeat(300_000)}'`, "it's it's"],
  ['in double quotes', `"${'\\u00e9\\n '.repeat(300_000)}"`, 'é\n é\n'],
  ['plain', 'x'.repeat(1_500_000), 'xxxx'],
  ['folded by Psych', `'${'word of a message\n  '.repeat(80_000)}'`, 'word of a message word'],
  ['as a block', `|-\n${'  a line of it\n'.repeat(100_000)}`.trimEnd(), 'a line of it\na line'],
])('a value of more than a million characters %s is told in short', async (_how, yaml, begins) => {
  const head = await reportOf(`configuration_version: ${yaml}\n`);
  expect(head).toMatchObject({ status: 'changed', transaction_completed: true });
  expect(head?.configuration_version).toHaveLength(256);
  expect(head?.configuration_version?.startsWith(begins)).toBe(true);

  const path = join(tempFolder(), 'report.yaml');
  const deeper = yaml.replaceAll('\n', '\n      ');
  writeFileSync(
    path,
    `resource_statuses:\n  Exec[x]:\n    resource: Exec[x]\n    failed: true\n    events:\n    - message: ${deeper}\n      status: failure\n    corrective_change: false\n`,
  );
  const [event] = await resourcesOf(path);
  const [resource] = event?.resources ?? [];
  expect(resource).toMatchObject({ resource: 'Exec[x]', events: [{ status: 'failure' }] });
  expect(resource?.events[0]?.message).toHaveLength(512);
  expect(resource?.events[0]?.message?.startsWith(begins)).toBe(true);
});
