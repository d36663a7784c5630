/** Files that operators write, and what PuppetDB answers. */
import { AgentConfigSchema } from '../../../src/config/agent-config.ts';
import { readControllerConfig } from '../../../src/config/controller-files.ts';
import { readYamlFile } from '../../../src/config/yaml-file.ts';
import { readInventoryFiles } from '../../../src/controller/targeting/inventory-files.ts';
import { rowsIn } from '../../../src/controller/targeting/puppetdb/answer.ts';
import { readPuppetdbConf } from '../../../src/puppet/puppetdb-conf.ts';
import { type Decoder, isKick, json, textSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';
import { AGENT } from './samples.ts';

const YAML = [
  ...[
    '&a ',
    '*a',
    '<<: ',
    '!!js/function ',
    '!ruby/object:X ',
    '|\n',
    '>-\n',
    '? ',
    '- ',
    '---\n',
    '...\n',
    '%YAML 1.2\n',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '~',
    'yes',
    '0o17',
    '1:30',
    '2026-01-01',
    '.inf',
    '"\\ud800"',
    "''",
    'null',
    '!!binary ',
  ],
];

/** Each is parsed again for the lines of its problems: linear in its size, which is its author's choice. */
const YAML_BYTES = 16 << 10;

const INVENTORY = `version: 2
targets:
  - web1.example.com
  - uri: kick://10.0.0.1:8139
    name: web2.example.com
    alias: [w2, www]
    facts: {os: {family: Debian}, n: 4}
    via: nats
groups:
  - name: dmz
    nodes: web[1-3]&@all
    concurrency: 5
    facts: &facts {role: web}
    config: {transport: ssh, ssh: {port: 22}}
  - name: db
    targets: [db1, db2.example.com]
    query: 'nodes { certname ~ "^db" }'
    facts: *facts
    groups:
      - name: primary
        command: [/usr/local/bin/who, --all]
`;

const inventory: Decoder = {
  name: 'inventory',
  about: 'inventory.yaml (Bolt): an operator',
  open(folder) {
    const file = fileReader(folder, 'inventory.yaml');
    return {
      samples: [
        textSample(INVENTORY),
        json({ targets: ['a.b', { name: 'c', uri: 'd:22' }], groups: [{ name: 'x', nodes: 'a' }] }),
      ],
      decode: (input) =>
        file.read(input, (path) => readInventoryFiles({ path, groups: undefined, groupsPath: '/none' })),
      isDeclared: isKick('inventory'),
      words: YAML,
      maxBytes: YAML_BYTES,
    };
  },
};

const groups: Decoder = {
  name: 'groups',
  about: 'groups: of controller.yaml: an operator',
  open(folder) {
    const file = fileReader(folder, 'controller.yaml');
    const value = {
      dmz: { nodes: 'web*', concurrency: 2 },
      db: { command: ['/bin/who'] },
      q: { query: 'nodes {}', targets: ['x'] },
    };
    const none = `${folder}/none.yaml`;
    return {
      samples: [json({ groups: value })],
      decode: (input) =>
        file.read(input, async (groupsPath) => {
          const { groups } = await readControllerConfig(folder);
          return readInventoryFiles({ path: none, groups, groupsPath });
        }),
      isDeclared: isKick('inventory', 'config'),
      maxBytes: YAML_BYTES,
    };
  },
};

const AGENT_YAML = `port: 8139
bind: 127.0.0.1
controllers: [puppet.example.com, {name: ci.example.com, ops: [run], environments: [test], noop_only: true}]
runner: puppet-agent
nats: {servers: [tls://nats1.example.com:4222, "[::1]"]}
run_environment: {HTTP_PROXY: "http://proxy:3128"}
environment_files: [/etc/default/puppet]
run_timeout: 90m
kill_grace: 30
pull: {runinterval: 1h30m, splay: 10m, catalog: pushed, noop: true}
log_level: info
`;

const agentYaml: Decoder = {
  name: 'agent-yaml',
  about: 'agent.yaml: an operator',
  open(folder) {
    const file = fileReader(folder, 'agent.yaml');
    return {
      samples: [
        textSample(AGENT_YAML),
        json({ runner: 'command', command: ['/bin/true', 'x'], listen: true }),
      ],
      decode: (input) =>
        file.read(input, (path) => readYamlFile(path, AgentConfigSchema, { what: 'agent configuration' })),
      isDeclared: isKick('config'),
      words: YAML,
      maxBytes: YAML_BYTES,
    };
  },
};

const CONTROLLER_YAML = `concurrency: 25
domain: example.com
puppetdb: {urls: ["https://puppetdb:8081"]}
address_from: facts.networking.ip
groups: {dmz: {nodes: 'web*'}}
syslog: [/usr/bin/logger, -t, kick]
web:
  bind: 127.0.0.1
  certificates: [{name: ci, role: operator, hosts: "@dmz", max_hosts: 5}]
  oidc:
    issuer: https://idp.example.com
    client_id: kick
    groups: [{name: ops, role: admin, environments: [test]}]
  hooks:
    - {name: r10k, kind: github, secret_file: /etc/x, hosts: web*, branches: {main: production, "*": "*"}, max_failures: 10%}
`;

const controllerYaml: Decoder = {
  name: 'controller-yaml',
  about: 'controller.yaml: an operator',
  open(folder) {
    const file = fileReader(folder, 'controller.yaml');
    return {
      samples: [textSample(CONTROLLER_YAML)],
      decode: (input) => file.read(input, () => readControllerConfig(folder)),
      isDeclared: isKick('config'),
      words: YAML,
      maxBytes: YAML_BYTES,
    };
  },
};

const puppetdbConf: Decoder = {
  name: 'puppetdb-conf',
  about: "puppetdb.conf: Puppet's own",
  open(folder) {
    const file = fileReader(folder, 'puppetdb.conf');
    return {
      samples: [
        textSample(
          '# x\n[main]\nserver_urls = https://a:8081, https://b:8081 ; c\nsoft_write_failure = true\n',
        ),
      ],
      decode: (input) => file.read(input, readPuppetdbConf),
      isDeclared: isKick('config'),
      words: ['[main]', 'server_urls', ' = ', ';', '#', 'server = '],
    };
  },
};

const puppetdb: Decoder = {
  name: 'puppetdb',
  about: "PuppetDB's answer: rows, or its own words",
  open: () => ({
    samples: [
      json([{ certname: AGENT, value: { os: 'Debian' }, latest_report_status: 'changed' }]),
      json([]),
    ],
    decode: (input) =>
      rowsIn({ status: input.length % 7 === 6 ? 400 : 200, text: input.toString('utf8') }, 'https://x'),
    isDeclared: isKick('puppetdb'),
  }),
};

export const CONFIGURATION: readonly Decoder[] = [
  ...[inventory, groups, agentYaml, controllerYaml, puppetdbConf, puppetdb],
];
