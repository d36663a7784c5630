/** What an agent knows of its host that tells beforehand what will go wrong. Facts only: who reads them judges. */
import * as v from 'valibot';

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const time = v.pipe(v.number(), v.integer());

const FolderSchema = v.object({
  what: v.picklist(['state', 'run']),
  path: text(1024),
  freeBytes: v.pipe(v.number(), v.minValue(0)),
  /** Of the run folder: whether a reboot empties it. */
  isTmpfs: v.optional(v.boolean()),
});

const ServerSchema = v.object({
  name: text(300),
  port: v.pipe(v.number(), v.integer()),
  /** Why it is of no use; absent: it answers. */
  error: v.optional(text(300)),
});

export const DoctorSchema = v.object({
  /** Milliseconds since 1970: when the agent's certificate ends. */
  certificateEnds: v.optional(time),
  /** When the first of its CRLs ends: from then on it accepts nobody. */
  crlEnds: v.optional(time),
  folders: v.pipe(v.array(FolderSchema), v.maxLength(4)),
  /** Puppet Servers, as this host's puppet.conf names them; one is enough. */
  servers: v.optional(v.pipe(v.array(ServerSchema), v.maxLength(10))),
  /** A lock of Puppet's that nobody holds any more; Puppet removes it at its next run. */
  staleLock: v.optional(text(300)),
  /** What else begins Puppet runs on this host: `cron: /etc/cron.d/puppet`, `puppet.service`. */
  schedulers: v.pipe(v.array(text(300)), v.maxLength(20)),
  /** Why Puppet cannot be run here. */
  puppetError: v.optional(text(1024)),
  /** What Puppet cannot read of its configuration; it goes by its defaults. */
  puppetComplaint: v.optional(text(1024)),
});

export type DoctorFacts = v.InferOutput<typeof DoctorSchema>;
