/** controller.yaml: defaults of the command line, for a whole site. */
import * as v from 'valibot';
import { HostNameSchema } from '../protocol/names.ts';

const UrlSchema = v.pipe(v.string(), v.url('not a URL like https://puppetdb.example.com:8081'));

/** Where agents listen. */
export const DEFAULT_PORT = 8139;

export const ControllerConfigSchema = v.strictObject({
  /** Where agents listen. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), DEFAULT_PORT),
  /** Runs at once. */
  concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 25),
  /** Completes names without a dot; absent: the controller's own. */
  domain: v.optional(HostNameSchema),
  /** Above so many hosts an interactive terminal is asked. */
  confirm_above: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 50),
  /** Absent: those of Puppet's own puppetdb.conf; false: no PuppetDB. */
  puppetdb: v.optional(
    v.union([v.literal(false), v.strictObject({ urls: v.pipe(v.array(UrlSchema), v.minLength(1)) })]),
  ),
  /** The fact in PuppetDB that is the address of hosts without a uri: `facts.networking.ip`. */
  address_from: v.optional(
    v.pipe(v.string(), v.regex(/^facts\.[A-Za-z0-9_.-]{1,200}$/, 'not a fact like facts.networking.ip')),
  ),
  /** Groups as in inventory.yaml, by name; read by inventory-file.ts. */
  groups: v.optional(v.record(v.string(), v.unknown())),
  /** A file for node_exporter's textfile collector: what became of the latest jobs. */
  metrics_file: v.optional(v.pipe(v.string(), v.regex(/^\//, 'not an absolute path'))),
  /** Whether jobs and outcomes are also lines of the system's log, or the program that takes them on its stdin. */
  syslog: v.optional(v.union([v.boolean(), v.pipe(v.array(v.string()), v.minLength(1))]), false),
});

export type ControllerConfig = v.InferOutput<typeof ControllerConfigSchema>;
