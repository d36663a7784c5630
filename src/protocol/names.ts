/** Patterns of names on the wire: each is checked before it becomes an argument or a path. */
import { matching } from '../util/bounds.ts';

/**
 * Puppet's rule for certnames (lib/puppet/ssl/base.rb VALID_CERTNAME): printable ASCII without "/", in lower
 * case (lib/puppet/defaults.rb, certname). In addition, file names NAME.pem and signed requests need at
 * most 253 characters, and neither "." nor "..".
 */
const CERTNAME = /^(?!\.{1,2}$)[ -.0-@[-~]{1,253}$/;

/** Nearly all certnames: host names, with underscores. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

export const CertnameSchema = matching(
  CERTNAME,
  'not a certname (printable ASCII in lower case, without "/")',
);

export const HostNameSchema = matching(
  HOST_NAME,
  'not a host name (lower case letters, digits, ".", "-" and "_")',
);

/** RFC 9562, lower case. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const UuidSchema = matching(UUID, 'not a UUID');

/** Puppet's environment names (lib/puppet/node/environment.rb valid_name?), bounded. */
export const EnvironmentSchema = matching(
  /^[A-Za-z0-9_]{1,128}$/,
  'not an environment name (letters, digits and "_")',
);

/** One of Puppet's tags (lib/puppet/util/tag_set.rb), ASCII only and bounded; never starts with a dash. */
export const TagSchema = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,254}$/,
  'not a tag (letters, digits, "_", ":", "." and "-")',
);

export function isCertname(text: string): boolean {
  return CERTNAME.test(text);
}

/** Lower case letters, digits, dashes and underscores between dots: what can be looked up in the DNS. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** How a host is reached: at its port, through a broker, or whichever works. */
export const WAYS = ['direct', 'nats', 'auto'] as const;
export type Way = (typeof WAYS)[number];

/** What a host's latest report said; `stale`: it is too old, or there is none. */
export const LAST_KINDS = ['failed', 'changed', 'unchanged', 'stale'] as const;
export type LastKind = (typeof LAST_KINDS)[number];
