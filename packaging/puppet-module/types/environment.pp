# @summary A Puppet environment
#
# Written by `npm run docs` from the schema of kick.
type Kick::Environment = Pattern[/\A[A-Za-z0-9_]{1,128}\z/]
