/** What Puppet leaves on a host. */
import { readDisabled } from '../../../src/agent/puppet/disabled-lock.ts';
import { lastRunIn, readClasses } from '../../../src/agent/puppet/last-run.ts';
import { catalogRunHolder, rubyInteger } from '../../../src/agent/puppet/lock-files.ts';
import { readReport } from '../../../src/agent/puppet/report.ts';
import { resourcesOf } from '../../../src/agent/puppet/report-resources.ts';
import { parseRubyYaml } from '../../../src/agent/puppet/ruby-yaml.ts';
import { rubyScalar, rubyText } from '../../../src/util/ruby-scalar.ts';
import { type Decoder, json, textSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { AT } from './samples.ts';

const RESOURCE = (name: string, more: string) => `  ${name}:
    title: httpd
    file: "/etc/puppetlabs/code/site.pp"
    line: 12
    resource: ${name}
    resource_type: Service
    evaluation_time: 0.25
    tags: !ruby/object:Puppet::Util::TagSet
      hash:
        service: true
${more}    corrective_change: true
    events:
    - !ruby/object:Puppet::Transaction::Event
      audited: false
      property: ensure
      previous_value: !ruby/sym stopped
      desired_value: running
      message: "ensure changed 'stopped' to \\"running\\""
      status: success
      corrective_change: true
    - audited: false
      property: content
      previous_value: !binary |-
        e21kNX1kNDFkOGNkOThmMDBiMjA0
      status: failure
`;

const REPORT = `--- !ruby/object:Puppet::Transaction::Report
host: agent.example.com
time: '2026-11-23T14:33:16.643333854+00:00'
configuration_version: 1795444398
report_format: 12
status: changed
transaction_completed: true
noop: false
noop_pending: false
corrective_change: true
environment: production
server_used: puppet:8140
cached_catalog_status: not_used
logs:
- level: !ruby/sym notice
  message: "a line\\nand another"
  tags: &1
  - notice
  file:
metrics:
  resources: !ruby/object:Puppet::Util::Metric
    name: resources
    label: Resources
    values:
    - - total
      - Total
      - 12
    - - out_of_sync
      - Out of sync
      - 1
  time:
    name: time
    values:
    - - total
      - Total
      - 1.5
    - - config_retrieval
      - Config retrieval
      - 12e-1
resource_statuses:
${RESOURCE('Service[httpd]', '    failed: false\n    changed: true\n    out_of_sync: true\n')}${RESOURCE('"File[/etc/x: y]"', '    failed: true\n')}  ? File[/a/very/long/name]
  : resource: File[/a/very/long/name]
    changed: true
    tags: *1
`;

const YAML = [
  ...[
    '!ruby/object:X ',
    '!ruby/sym ',
    '!binary |\n',
    '&1 ',
    '*1',
    ' ? ',
    ': ',
    '- ',
    '"',
    "'",
    '|-\n',
    '!!float ',
    '!ruby/regexp ',
  ],
  ...[
    '1_000',
    '0x_f',
    '010',
    '1:30:05',
    '.inf',
    '.NaN',
    '2026-01-01 10:00:00 Z',
    ':sym',
    '4187e02',
    '~',
    'status: failed',
    '\u2028',
    '\u0085',
  ],
];

const reader = (name: string, about: string, read: (path: string) => unknown): Decoder => ({
  name,
  about,
  open(folder) {
    const file = fileReader(folder, 'last_run_report.yaml');
    return { samples: [textSample(REPORT)], decode: (input) => file.read(input, read), words: YAML };
  },
});

const yaml: Decoder = {
  name: 'ruby-yaml',
  about: "YAML with Ruby's tags: pieces of a report",
  open: () => ({
    samples: [
      textSample(REPORT),
      textSample('a: &1 [1, *1]\nb: !ruby/sym x\n'),
      json({ a: [1, { b: 'c' }] }),
    ],
    decode: (input) => parseRubyYaml(input.toString('utf8')),
    words: YAML,
  }),
};

const scalar: Decoder = {
  name: 'ruby-scalar',
  about: "a scalar of Ruby's YAML",
  open: () => ({
    samples: [
      ...[
        '1_000.5',
        '0x_fF',
        '010',
        '1:30:05.25',
        '-.inf',
        '2026-01-01T10:00:00.5 +01:00',
        ':"sym"',
        'yes',
        '12e4',
        '0b1_0',
        '1,000',
      ],
    ].map(textSample),
    decode: (input) => rubyText(rubyScalar(input.toString('utf8'))),
    words: YAML,
    maxBytes: 40_000,
  }),
};

const disabled: Decoder = {
  name: 'disabled-lock',
  about: 'agent_disabled.lock: Puppet, an operator, anybody who may write it',
  open(folder) {
    const file = fileReader(folder, 'agent_disabled.lock');
    return {
      samples: [
        json({ disabled_message: 'why', kick: { by: 'root@puppet', since: AT, until: AT } }),
        json({ disabled_message: null }),
      ],
      decode: (input) => file.read(input, readDisabled),
    };
  },
};

const runLock: Decoder = {
  name: 'run-lock',
  about: "agent_catalog_run.lock: Puppet's",
  open(folder) {
    const file = fileReader(folder, 'agent_catalog_run.lock');
    return {
      samples: ['1', '0x1f\n', ' +0b1_0 ', '017', String(process.pid)].map(textSample),
      decode: (input) =>
        file.read(input, async (path) => [
          rubyInteger(input.toString('latin1')),
          await catalogRunHolder(path, AT),
        ]),
      words: ['0x', '0b', '0o', '_', '+', '-', ' '],
    };
  },
};

const classes: Decoder = {
  name: 'classes',
  about: "classes.txt: Puppet's",
  open(folder) {
    const file = fileReader(folder, 'classes.txt');
    return {
      samples: [textSample('settings\napache\nProfile::Base\n')],
      decode: (input) => file.read(input, readClasses),
      // A line each, and many are short.
      maxValue: 4 << 20,
    };
  },
};

export const PUPPET: readonly Decoder[] = [
  reader('report', "last_run_report.yaml, its head and drift: Puppet's", (path) => lastRunIn(path, 'test')),
  reader('report-head', "last_run_report.yaml, its head alone: Puppet's", readReport),
  reader('report-resources', "last_run_report.yaml, what changed: Puppet's", resourcesOf),
  ...[yaml, scalar, disabled, runLock, classes],
];
