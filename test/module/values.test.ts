/** What the module accepts and writes is what kick accepts and reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { AgentConfigSchema } from '../../src/config/agent-config.ts';
import { ControllerConfigSchema } from '../../src/config/controller-config.ts';
import { readYamlFile } from '../../src/config/yaml-file.ts';
import { tempFolder } from '../support/temp.ts';
import { applyCommand, literal, MODULE, run } from './module.ts';

const CERTNAMES = [
  'web1.example.com',
  'a b',
  '12e4',
  '..',
  '.',
  '',
  'Web1',
  'a/b',
  '[x]',
  'ä',
  'a'.repeat(254),
];
const TIMES = [90, '90', '90s', '1h30m', '1.5h', '10ms', 0, -1, '1 h', 'h', '', '1.2345s', 1.5, '1w', true];
const SERVERS = [
  ...['tls://nats1.example.com:4222', 'nats1', '[::1]:4222', 'nats://127.0.0.1', 'http://nats1', 'a:b', ''],
  ...['tls://', '-a', 'a/', 'a:123456'],
];

/** What is looked at by both: some of it is accepted, some refused. */
const AGENT: readonly unknown[] = [
  ...[{}, { prot: 1 }, 'port: 1'],
  ...[0, 8139, 65_535, 65_536, -1, 1.5, '8139'].map((port) => ({ port })),
  ...CERTNAMES.flatMap((name) => [{ certname: name }, { controllers: [name] }, { controllers: [{ name }] }]),
  ...TIMES.flatMap((time) => [
    { kill_grace: time },
    { pull: { runinterval: time } },
    { pull: { splay: time } },
  ]),
  ...SERVERS.map((server) => ({ nats: { servers: [server] } })),
  ...[[], ['run'], ['run', 'cancel', 'disable', 'enable'], ['start'], 'run'].map((ops) => ({
    controllers: [{ name: 'a', ops }],
  })),
  ...[['production'], ['a-b'], ['']].map((environments) => ({ controllers: [{ name: 'a', environments }] })),
  ...[['/bin/true', '-x'], [], '/bin/true'].map((command) => ({ command })),
  ...[{ A: 'b' }, { '1A': 'b' }, { A: 1 }, { 'A=': '' }].map((run_environment) => ({ run_environment })),
  ...['/x', 'x', '', '/a b'].map((puppet) => ({ puppet })),
  ...['puppet', 'new', 'pushed', true].map((catalog) => ({ pull: { catalog } })),
  { nats: { servers: [] } },
  { nats: { servers: Array(33).fill('a') } },
  { apply: { manifest: '/x.pp' } },
  { apply: {} },
  { log_level: 'loud' },
];

const grant = { name: 'ci', role: 'operator' };
const hook = { name: 'a', kind: 'github', secret_file: '/x', hosts: '@a', branches: { main: 'production' } };
const CONTROLLER: readonly unknown[] = [
  ...[{}, { x: 1 }],
  ...[1, 0, 65_536].map((port) => ({ port })),
  ...['example.com', 'Example.com', '-a', 'a..b', 'a_b'].map((domain) => ({ domain })),
  ...[false, true, { urls: ['https://a:1'] }, { urls: [] }, { urls: ['a b'] }].map((puppetdb) => ({
    puppetdb,
  })),
  ...['facts.networking.ip', 'networking.ip', 'facts.'].map((address_from) => ({ address_from })),
  ...[true, ['/x'], [], 'yes'].map((syslog) => ({ syslog })),
  ...['::1', '127.0.0.1', 'web', ''].map((bind) => ({ web: { bind } })),
  ...[
    {},
    { role: 'root' },
    { noop_only: false },
    { noop_only: true },
    { environments: [] },
    { max_hosts: 0 },
  ].map((more) => ({ web: { certificates: [{ ...grant, ...more }] } })),
  ...[{}, { name: 'A' }, { kind: 'svn' }, { max_failures: '10%' }, { max_failures: 10 }, { canary: 0 }].map(
    (more) => ({ web: { hooks: [{ ...hook, ...more }] } }),
  ),
  ...[[], [grant]].map((groups) => ({ web: { oidc: { issuer: 'https://a', client_id: 'k', groups } } })),
  { groups: { dmz: { command: ['/x'] } } },
  { confirm_above: 0 },
];

test('the data types accept what kick accepts', async () => {
  const cases = [
    ...AGENT.map((value) => ({ value, schema: AgentConfigSchema, type: 'Kick::Agent::Config' })),
    ...CONTROLLER.map((value) => ({
      value,
      schema: ControllerConfigSchema,
      type: 'Kick::Controller::Config',
    })),
  ];
  const questions = cases.map(
    ({ value, type }, index) => `notice("${index} \${${literal(value)} =~ ${type}}")`,
  );
  const { out, err } = await run(applyCommand(questions.join('\n')));
  const answers = new Map(
    [...out.matchAll(/: (\d+) (true|false)$/gm)].map(([, index, is]) => [Number(index), is === 'true']),
  );
  expect(answers.size, err).toBe(cases.length);
  const differ = cases.flatMap(({ value, schema }, index) => {
    const isOurs = v.safeParse(schema, value).success;
    return isOurs === answers.get(index)
      ? []
      : [`${JSON.stringify(value)}: kick ${isOurs ? 'accepts' : 'refuses'} it`];
  });
  expect(differ).toEqual([]);
});

/** The function outside Puppet, for many values at once. */
const TO_YAML = `
require 'json'
module Puppet; module Functions
  def self.create_function(_, &body) = $function = Class.new { def self.dispatch(*) = nil }.tap { |one| one.class_eval(&body) }.new
end; end
load 'lib/puppet/functions/kick/to_yaml.rb'
puts JSON.generate(JSON.parse($stdin.read).map { |value| $function.to_yaml(value) })
`;

test('what kick::to_yaml writes, kick reads as it was', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'0123456789abefox._+-:~ \n#&*!|>%@`"\''), maxLength: 8 }),
    fc.constantFrom(
      'yes',
      'Null',
      'TRUE',
      '.inf',
      '.NaN',
      '<<',
      '=',
      '1:30',
      '2001-01-01',
      '0o7',
      '0b1',
      '1_0',
    ),
  );
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      ...[text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null)],
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(text, tie('node'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const values = fc.sample(fc.dictionary(text, node, { noNullPrototype: true }), 500);
  const { out, err } = await run(['ruby', '-e', TO_YAML], { cwd: MODULE, input: JSON.stringify(values) });
  const documents = JSON.parse(out) as string[];
  expect(documents, err).toHaveLength(values.length);
  const path = join(tempFolder(), 'agent.yaml');
  for (const [index, document] of documents.entries()) {
    writeFileSync(path, document);
    expect(await readYamlFile(path, v.unknown(), { what: 'it' }), document).toEqual(values[index]);
  }
});
