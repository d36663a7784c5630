# @summary Where a file comes from: the Puppet server, a web server, or the node itself
type Kick::Source = Pattern[/\A(puppet:\/\/|https:\/\/|file:\/\/\/|\/)[^\s]+\z/]
