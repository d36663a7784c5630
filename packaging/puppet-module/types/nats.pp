# @summary Brokers (NATS) through which hosts are reached
#
# Written by `npm run docs` from the schema of kick.
type Kick::Nats = Struct[{
  'servers'       => Array[Kick::Natsserver, 1, 32],
  Optional['tls'] => Boolean,
}]
