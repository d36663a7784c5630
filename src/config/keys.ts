/**
 * Descriptions of all keys of the configuration files: the source of docs/configuration.md and of the man pages.
 * Defaults come from the schemas; `preset` is for those that only the code knows.
 */
import type * as v from 'valibot';
import { AgentConfigSchema } from './agent-config.ts';
import { ControllerConfigSchema } from './controller-config.ts';

export interface KeyDescription {
  what: string;
  /** The default, if the schema has none; absent: no default. */
  preset?: string;
}

export type KeyTable = Readonly<Record<string, KeyDescription>>;

/** Of a role of kick serve. */
function grantKeys<const P extends string>(at: P) {
  return {
    [`${at}.role`]: { what: 'viewer, operator or admin' },
    [`${at}.hosts`]: { what: 'expression: only these hosts', preset: 'all' },
    [`${at}.environments`]: { what: 'only these environments', preset: 'all' },
    [`${at}.noop_only`]: { what: 'only runs with noop', preset: 'false' },
    [`${at}.max_hosts`]: { what: 'at most so many hosts in a job' },
  };
}

export const AGENT_KEYS = {
  port: { what: 'TCP port to listen on; 0 for any free one' },
  bind: { what: 'address to listen on', preset: 'all' },
  listen: { what: 'whether it listens on a port; false: controllers come by `nats` only' },
  idle_exit: {
    what: 'where kick-agent.socket holds the port: the agent ends when nothing has needed it for so long; false: never',
  },
  nats: { what: 'brokers (NATS) through which controllers may come:', preset: 'none' },
  'nats.servers': { what: 'a list like tls://nats1.example.com:4222' },
  'nats.tls': { what: 'false: without TLS, only to a broker on this machine' },
  controllers: {
    what: "certnames that may send requests, in addition to Puppet's administrators; or mappings:",
    preset: 'none',
  },
  'controllers.name': { what: 'the certname' },
  'controllers.ops': { what: 'what it may ask for, of run, cancel, disable, enable', preset: 'all' },
  'controllers.environments': { what: 'Puppet environments that it may ask for', preset: 'all' },
  'controllers.noop_only': { what: 'whether its runs must be noop', preset: 'false' },
  trust_pp_cli_auth: { what: 'whether certificates with `pp_cli_auth` are controllers' },
  runner: { what: 'what a request starts: puppet-agent, puppet-apply or command' },
  apply: { what: 'for puppet-apply:' },
  'apply.manifest': { what: 'the manifest, an absolute path' },
  command: { what: 'for command: a list of the program (absolute path) and its arguments' },
  run_timeout: {
    what: 'how long a run may take before the agent ends it',
    preset: "Puppet's runtimeout + 5m",
  },
  kill_grace: { what: 'time between TERM and KILL when a run is ended' },
  stuck_after: { what: 'a run that has been silent this long is reported as stuck' },
  queue_size: { what: 'maximum number of waiting requests' },
  pull: { what: 'runs that the agent starts on a schedule of its own:', preset: 'none' },
  'pull.runinterval': { what: "interval of scheduled runs; `puppet` takes Puppet's own setting" },
  'pull.splay': { what: 'spread hosts over the whole interval (true), over a time, or not at all (false)' },
  'pull.catalog': { what: 'new, or pushed: scheduled runs apply the cached catalog' },
  'pull.noop': { what: 'whether scheduled runs only report' },
  run_environment: { what: 'environment variables for every run', preset: 'none' },
  environment_files: { what: 'files with environment variables for every run', preset: "puppet.service's" },
  puppet: { what: 'absolute path of the puppet to use', preset: '/opt/puppetlabs/bin, then PATH' },
  pki_dir: {
    what: "folder of certificates; Puppet's are used if it has none for this host",
    preset: '/etc/kick/pki',
  },
  certname: { what: "the agent's name in `pki_dir`", preset: "the host's name" },
  metrics_file: { what: 'file for Prometheus, ending in .prom', preset: 'none' },
  log_level: { what: 'debug, info, warn or error' },
} as const satisfies KeyTable;

export const CONTROLLER_KEYS = {
  port: { what: 'TCP port on which agents listen' },
  concurrency: { what: 'maximum number of runs at once' },
  domain: { what: 'appended to names without a dot', preset: "that of the controller's certname" },
  confirm_above: { what: 'asks for confirmation above this many hosts, on a terminal and without --yes' },
  puppetdb: { what: 'false: never ask PuppetDB', preset: "Puppet's puppetdb.conf" },
  'puppetdb.urls': { what: 'where PuppetDB is, as in https://puppetdb.example.com:8081' },
  address_from: {
    what: 'fact in PuppetDB with the address of hosts that DNS does not know: facts.networking.ip',
    preset: 'none',
  },
  nats: { what: 'brokers (NATS) through which hosts with `via: nats` are reached:', preset: 'none' },
  'nats.servers': { what: 'a list like tls://nats1.example.com:4222' },
  'nats.tls': { what: 'false: without TLS, only to a broker on this machine' },
  groups: { what: 'groups by name, with the keys of groups in inventory.yaml', preset: 'none' },
  metrics_file: { what: 'file for Prometheus, ending in .prom', preset: 'none' },
  web: { what: 'kick serve, the web page and the REST API:' },
  'web.port': { what: 'where it listens' },
  'web.bind': { what: 'the address on which it listens', preset: 'all' },
  'web.certificate': { what: 'PEM file with the certificate that browsers see', preset: "the controller's" },
  'web.key': { what: 'PEM file with its key', preset: "the controller's" },
  'web.url': { what: 'what browsers call it: https://kick.example.com:8443; OIDC needs it' },
  'web.metrics': { what: 'whether anybody may read GET /metrics' },
  'web.certificates': {
    what: "programs that may come in with a certificate of the controller's CA:",
    preset: 'none',
  },
  'web.certificates.name': { what: 'the certname' },
  ...grantKeys('web.certificates'),
  'web.oidc': { what: 'people who sign in at a provider of OpenID Connect:', preset: 'none' },
  'web.oidc.issuer': { what: 'its URL' },
  'web.oidc.client_id': { what: 'what kick is called there' },
  'web.oidc.secret_file': { what: 'file with the secret of this client' },
  'web.oidc.scope': { what: 'scopes that are asked for' },
  'web.oidc.name_claim': { what: 'claim with the name of the person' },
  'web.oidc.groups_claim': { what: 'claim with the groups of the person' },
  'web.oidc.groups': { what: 'groups that may come in; the first that fits counts:' },
  'web.oidc.groups.name': { what: 'the name of the group' },
  ...grantKeys('web.oidc.groups'),
  'web.hooks': { what: 'webhooks, POST /hooks/NAME, that run Puppet:', preset: 'none' },
  'web.hooks.name': { what: 'the last part of its address' },
  'web.hooks.kind': { what: 'who sends it: github, gitlab or kick' },
  'web.hooks.secret_file': { what: 'file with the secret that the sender knows' },
  'web.hooks.hosts': { what: 'expression that names hosts' },
  'web.hooks.branches': {
    what: "mapping from a branch to its environment; `'*': '*'`: the branch's own name",
  },
  'web.hooks.noop': { what: 'whether its runs are noop' },
  'web.hooks.canary': { what: 'how many hosts run first' },
  'web.hooks.max_failures': { what: 'hosts, or a share of them, that may fail' },
  syslog: {
    what: 'whether to log jobs and outcomes to the journal; or the program that takes the lines, as a list',
  },
} as const satisfies KeyTable;

/** The keys of inventory.yaml, which is read without a schema (controller/targeting/bolt/reader.ts). */
const INVENTORY_KEYS = {
  version: { what: 'of the format: 2' },
  targets: { what: 'hosts: a certname, or a mapping:' },
  'targets.name': { what: 'the certname' },
  'targets.uri': { what: 'where its agent listens: host, host:port' },
  'targets.alias': { what: 'other names of the host, one or a list' },
  'targets.facts': { what: 'facts for --fact if there is no PuppetDB' },
  groups: { what: 'a list of groups, or a mapping of them by name:' },
  'groups.name': { what: 'the name behind @; `maintenance` is left out of every kick' },
  'groups.targets': { what: 'hosts, as above' },
  'groups.groups': { what: 'groups inside this one' },
  'groups.facts': { what: 'facts of all hosts of the group' },
  'groups.nodes': { what: 'expression that names hosts: web[01-20]!web07' },
  'groups.command': { what: 'program that prints names of hosts, with its arguments, as a list' },
  'groups.query': { what: 'PuppetDB query (PQL) that finds hosts' },
  'groups.concurrency': { what: 'maximum number of hosts of the group that run at once' },
} as const satisfies KeyTable;

export interface DescribedKey {
  key: string;
  preset: string;
  what: string;
}

export const agentKeys = () => described(AGENT_KEYS, AgentConfigSchema);
export const controllerKeys = () => described(CONTROLLER_KEYS, ControllerConfigSchema);
export const inventoryKeys = () => described(INVENTORY_KEYS);

function described(table: KeyTable, schema?: v.GenericSchema): DescribedKey[] {
  const presets = schema === undefined ? new Map<string, string>() : new Map(keysOf(schema));
  return Object.entries(table).map(([key, { what, preset }]) => ({
    key,
    preset: preset ?? presets.get(key) ?? '',
    what,
  }));
}

/** The parts of valibot's schemas that define the keys. */
interface Node {
  type: string;
  entries?: Record<string, Node>;
  wrapped?: Node;
  item?: Node;
  options?: readonly unknown[];
  default?: unknown;
}

/** All keys of a schema with their defaults; nested ones as `pull.runinterval`, after their parents. */
export function keysOf(schema: v.GenericSchema): [key: string, preset: string][] {
  const walk = (node: Node, path: readonly string[]): [string, string][] => {
    const { type, entries, wrapped, item, options } = node;
    if (wrapped !== undefined) return walk(wrapped, path);
    if (item !== undefined) return walk(item, path);
    if (type === 'union') return (options as Node[]).flatMap((one) => walk(one, path));
    return Object.entries(entries ?? {}).flatMap(([name, child]) => {
      const own = [...path, name];
      return [[own.join('.'), presetOf(child)] as [string, string], ...walk(child, own)];
    });
  };
  return walk(schema as unknown as Node, []);
}

function presetOf({ default: preset }: Node): string {
  return typeof preset === 'object' || preset === undefined ? '' : String(preset);
}
