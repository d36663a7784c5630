# @summary The name in a certificate of Puppet
#
# Written by `npm run docs` from the schema of kick.
type Kick::Certname = Pattern[/\A(?!\.{1,2}\z)[ -.0-@\[-~]{1,253}\z/]
