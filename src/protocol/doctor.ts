/** What an agent knows about its host that reveals future problems. Facts only, to be judged by the reader. */
import * as v from 'valibot';
import { matching, size, text, time, whole } from '../util/bounds.ts';
import { boundedArray } from '../util/schema.ts';

const FolderSchema = v.object({
  what: v.picklist(['state', 'run']),
  path: text(1024),
  freeBytes: size,
  /** For the run folder: whether a reboot empties it. */
  isTmpfs: v.optional(v.boolean()),
});

const ServerSchema = v.object({
  name: text(300),
  port: whole(0, 65_535),
  /** Why it cannot be used; absent: it answers. */
  error: v.optional(text(300)),
});

const UntrustedSchema = v.object({
  /** What others can change, and how. */
  what: text(2048),
  /** What to type. */
  next: text(2048),
  /** Runs do without it; absent: they are refused. */
  isLeftOut: v.optional(v.boolean()),
});

/** Damaged files of the agent's that it has set aside. */
const QuarantineSchema = v.object({
  /** The folder that they are in. */
  path: text(1024),
  count: size,
  /** The name of the latest: `requests.JOB.1.HASH`. */
  latest: text(300),
});

export const MAX_AUTHORITIES = 20;

const AuthoritySchema = v.object({
  /** Its subject. */
  name: text(300),
  /** SHA-256 of the certificate, hex. */
  sha256: matching(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'),
  /** Milliseconds since 1970. */
  ends: time,
});

export const DoctorSchema = v.object({
  /** Milliseconds since 1970: when the agent's certificate expires. */
  certificateEnds: v.optional(time),
  /** When its first CRL expires: from then on it accepts no peer. */
  crlEnds: v.optional(time),
  /** Why certificate or CRL cannot be renewed at the server of kick's own CA. */
  renewalError: v.optional(text(1024)),
  /** The CAs that it trusts. */
  authorities: v.optional(boundedArray(AuthoritySchema, MAX_AUTHORITIES)),
  /** Why the files of its certificate, as they are, cannot be used: it goes on with those of before. */
  identityError: v.optional(text(1024)),
  folders: boundedArray(FolderSchema, 4),
  damaged: v.optional(boundedArray(QuarantineSchema, 4)),
  /** The Puppet Servers named in this host's puppet.conf; one that works is enough. */
  servers: v.optional(boundedArray(ServerSchema, 10)),
  /** A stale lock of Puppet's, which Puppet removes at its next run. */
  staleLock: v.optional(text(300)),
  /** What else starts Puppet runs on this host: `cron: /etc/cron.d/puppet`, `puppet.service`. */
  schedulers: boundedArray(text(300), 20),
  /** Why Puppet cannot be run here. */
  puppetError: v.optional(text(1024)),
  /** What others can change of all that a run executes and believes. */
  untrusted: v.optional(boundedArray(UntrustedSchema, 20)),
  /** The part of its configuration that Puppet cannot read, so that it uses its defaults. */
  puppetComplaint: v.optional(text(1024)),
});

export type DoctorFacts = v.InferOutput<typeof DoctorSchema>;
