# @summary A host name, or a domain
#
# Written by `npm run docs` from the schema of kick.
type Kick::Hostname = Pattern[/\A(?=.{1,253}\z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\z/]
