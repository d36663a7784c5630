/** What names look like that travel: each becomes an argument or a path only after this. */
import * as v from 'valibot';

/**
 * A certname as Puppet makes them (lib/puppet/ssl/base.rb VALID_CERTNAME), narrowed to what a host
 * name, a folder and a terminal can hold: lower case, digits, dots, dashes and underscores.
 */
const CERTNAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

export const CertnameSchema = v.pipe(
  v.string(),
  v.regex(CERTNAME, 'not a certname (lower case letters, digits, ".", "-" and "_")'),
);

/** RFC 9562, lower case. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const UuidSchema = v.pipe(v.string(), v.regex(UUID, 'not a UUID'));

/** Puppet's environment names (lib/puppet/node/environment.rb valid_name?), bounded. */
export const EnvironmentSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_]{1,128}$/, 'not an environment name (letters, digits and "_")'),
);

/** One of Puppet's tags (lib/puppet/util/tag_set.rb), ASCII only and bounded: never begins with a dash. */
export const TagSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,254}$/, 'not a tag (letters, digits, "_", ":", "." and "-")'),
);

export function isCertname(text: string): boolean {
  return CERTNAME.test(text);
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}
