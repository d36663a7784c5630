/** controller.yaml: defaults of the command line, for a whole site. */
import * as v from 'valibot';
import { CertnameSchema, EnvironmentSchema, HostNameSchema } from '../protocol/names.ts';
import { count, longText, matching, port, text, whole } from '../util/bounds.ts';
import { NatsConfigSchema } from './nats-config.ts';

const UrlSchema = v.pipe(longText, v.url('not a URL like https://puppetdb.example.com:8081'));

/** Where agents listen. */
export const DEFAULT_PORT = 8139;

/** Where `kick serve` listens. */
export const DEFAULT_WEB_PORT = 8443;

const absolute = v.pipe(longText, v.regex(/^\//, 'not an absolute path'));

/** A role of `kick serve`, and what narrows it. */
const grant = {
  role: v.picklist(['viewer', 'operator', 'admin']),
  /** An expression: @dmz, web*. */
  hosts: v.optional(text(4096)),
  environments: v.optional(v.pipe(v.array(EnvironmentSchema), v.minLength(1))),
  noop_only: v.optional(v.literal(true)),
  max_hosts: v.optional(whole(1, 1_000_000)),
};

const hookName = matching(
  /^[a-z0-9][a-z0-9_-]{0,63}$/,
  'not a name: lower-case letters, digits, "_" and "-"',
);

/** A webhook: POST /hooks/NAME runs Puppet on hosts. */
const HookSchema = v.strictObject({
  name: hookName,
  kind: v.picklist(['github', 'gitlab', 'kick']),
  /** A file with the secret that the sender knows. */
  secret_file: absolute,
  /** An expression: @web, web*. */
  hosts: text(4096),
  /** The environment of a branch; a branch that is not named does nothing. `*`: its own name. */
  branches: v.record(text(256), text(128)),
  noop: v.optional(v.boolean(), false),
  /** `2`, or `10%`: as --canary and --batches. */
  canary: v.optional(whole(1, 100_000)),
  max_failures: v.optional(matching(/^\d{1,7}%?$/, 'not a number of hosts, or a share of them')),
});

export type HookConfig = v.InferOutput<typeof HookSchema>;

const OidcSchema = v.strictObject({
  /** https, or http on this machine. */
  issuer: UrlSchema,
  client_id: text(256),
  /** A file with the client's secret; none for a public client. */
  secret_file: v.optional(absolute),
  /** Space-separated. */
  scope: v.optional(text(512), 'openid profile'),
  name_claim: v.optional(text(64), 'preferred_username'),
  groups_claim: v.optional(text(64), 'groups'),
  /** The first group that somebody is in counts. */
  groups: v.pipe(v.array(v.strictObject({ name: text(256), ...grant })), v.minLength(1)),
});

export const ControllerConfigSchema = v.strictObject({
  /** Where agents listen. */
  port: v.optional(port, DEFAULT_PORT),
  /** Maximum number of runs at once. */
  concurrency: v.optional(whole(1, 10_000), 25),
  /** Appended to names without a dot; defaults to the controller's own domain. */
  domain: v.optional(HostNameSchema),
  /** Asks for confirmation above this many hosts, on a terminal. */
  confirm_above: v.optional(count, 50),
  /** Defaults to Puppet's own puppetdb.conf; false: no PuppetDB. */
  puppetdb: v.optional(
    v.union(
      [v.literal(false), v.strictObject({ urls: v.pipe(v.array(UrlSchema), v.minLength(1)) })],
      'neither false nor {urls}, a list of URLs like https://puppetdb.example.com:8081',
    ),
  ),
  /** The fact in PuppetDB with the address of hosts without a uri: `facts.networking.ip`. */
  address_from: v.optional(matching(/^facts\.[A-Za-z0-9_.-]{1,200}$/, 'not a fact like facts.networking.ip')),
  /** Brokers through which hosts with `via: nats` are reached. */
  nats: v.optional(NatsConfigSchema),
  /** Groups by name, as in inventory.yaml; read by controller/targeting/inventory-files.ts. */
  groups: v.optional(v.record(longText, v.unknown())),
  /** A file for node_exporter's textfile collector with the outcome of the latest jobs. */
  metrics_file: v.optional(absolute),
  /** `kick serve`: the web page and the REST API. */
  web: v.optional(
    v.strictObject({
      port: v.optional(port, DEFAULT_WEB_PORT),
      /** The address to listen on; defaults to all. */
      bind: v.optional(v.pipe(longText, v.ip('not an IP address'))),
      /** PEM files; default to the controller's own certificate and key. */
      certificate: v.optional(absolute),
      key: v.optional(absolute),
      /** What browsers call it, for providers of OIDC: https://kick.example.com:8443 */
      url: v.optional(UrlSchema),
      /** Whether anybody may read GET /metrics. */
      metrics: v.optional(v.boolean(), false),
      /** Programs that may come in with a certificate of the controller's CA. */
      certificates: v.optional(v.array(v.strictObject({ name: CertnameSchema, ...grant }))),
      oidc: v.optional(OidcSchema),
      hooks: v.optional(v.array(HookSchema)),
    }),
  ),
  /** Whether to log jobs and outcomes to the system log, or the program that takes the lines on its stdin. */
  syslog: v.optional(v.union([v.boolean(), v.pipe(v.array(longText), v.minLength(1))]), false),
});

export type ControllerConfig = v.InferOutput<typeof ControllerConfigSchema>;

export type WebConfig = NonNullable<ControllerConfig['web']>;
export type OidcConfig = v.InferOutput<typeof OidcSchema>;
