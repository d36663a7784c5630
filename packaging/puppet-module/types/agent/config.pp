# @summary The keys of agent.yaml
#
# What is not set has the default of kick.
#
# * `port`: TCP port to listen on; 0 for any free one (default: 8139)
# * `bind`: address to listen on (default: all)
# * `listen`: whether it listens on a port; false: controllers come by `nats` only (default: true)
# * `idle_exit`: where kick-agent.socket holds the port: the agent ends when nothing has needed it for so long; false: never (default: 10m)
# * `nats`: brokers (NATS) through which controllers may come (default: none)
# * `nats.servers`: a list like tls://nats1.example.com:4222
# * `nats.tls`: false: without TLS, only to a broker on this machine (default: true)
# * `controllers`: certnames that may send requests, in addition to Puppet's administrators; or mappings (default: none)
# * `controllers.name`: the certname
# * `controllers.ops`: what it may ask for, of run, cancel, disable, enable (default: all)
# * `controllers.environments`: Puppet environments that it may ask for (default: all)
# * `controllers.noop_only`: whether its runs must be noop (default: false)
# * `trust_pp_cli_auth`: whether certificates with `pp_cli_auth` are controllers (default: true)
# * `runner`: what a request starts: puppet-agent, puppet-apply or command (default: puppet-agent)
# * `apply`: for puppet-apply
# * `apply.manifest`: the manifest, an absolute path
# * `command`: for command: a list of the program (absolute path) and its arguments
# * `run_timeout`: how long a run may take before the agent ends it (default: Puppet's runtimeout + 5m)
# * `kill_grace`: time between TERM and KILL when a run is ended (default: 30s)
# * `stuck_after`: a run that has been silent this long is reported as stuck (default: 15m)
# * `queue_size`: maximum number of waiting requests (default: 100)
# * `pull`: runs that the agent starts on a schedule of its own (default: none)
# * `pull.runinterval`: interval of scheduled runs; `puppet` takes Puppet's own setting (default: 30m)
# * `pull.splay`: spread hosts over the whole interval (true), over a time, or not at all (false) (default: true)
# * `pull.catalog`: new, or pushed: scheduled runs apply the cached catalog (default: new)
# * `pull.noop`: whether scheduled runs only report (default: false)
# * `run_environment`: environment variables for every run (default: none)
# * `environment_files`: files with environment variables for every run (default: puppet.service's)
# * `puppet`: absolute path of the puppet to use (default: /opt/puppetlabs/bin, then PATH)
# * `pki_dir`: folder of certificates; Puppet's are used if it has none for this host (default: /etc/kick/pki)
# * `certname`: the agent's name in `pki_dir` (default: the host's name)
# * `metrics_file`: file for Prometheus, ending in .prom (default: none)
# * `log_level`: debug, info, warn or error (default: info)
#
# Written by `npm run docs` from the schema of kick.
type Kick::Agent::Config = Struct[{
  Optional['port']              => Integer[0, 65535],
  Optional['bind']              => String,
  Optional['listen']            => Boolean,
  Optional['idle_exit']         => Variant[Boolean[false], Kick::Duration],
  Optional['nats']              => Kick::Nats,
  Optional['controllers']       => Array[Variant[Kick::Certname, Struct[{
    'name'                   => Kick::Certname,
    Optional['ops']          => Array[Enum['run', 'cancel', 'disable', 'enable']],
    Optional['environments'] => Array[Kick::Environment],
    Optional['noop_only']    => Boolean,
  }]]],
  Optional['trust_pp_cli_auth'] => Boolean,
  Optional['runner']            => Enum['puppet-agent', 'puppet-apply', 'command'],
  Optional['puppet']            => Pattern[/\A\//],
  Optional['pki_dir']           => Pattern[/\A\//],
  Optional['certname']          => Kick::Certname,
  Optional['apply']             => Struct[{
    'manifest' => Pattern[/\A\//],
  }],
  Optional['command']           => Array[String, 1],
  Optional['run_environment']   => Hash[Pattern[/\A[A-Za-z_][A-Za-z0-9_]*\z/], String],
  Optional['environment_files'] => Array[Pattern[/\A\//]],
  Optional['run_timeout']       => Kick::Duration,
  Optional['queue_size']        => Integer[1, 10000],
  Optional['kill_grace']        => Kick::Duration,
  Optional['stuck_after']       => Kick::Duration,
  Optional['pull']              => Struct[{
    Optional['runinterval'] => Variant[Enum['puppet'], Kick::Duration],
    Optional['splay']       => Variant[Boolean, Kick::Duration],
    Optional['catalog']     => Enum['new', 'pushed'],
    Optional['noop']        => Boolean,
  }],
  Optional['metrics_file']      => Pattern[/\A\//],
  Optional['log_level']         => Enum['debug', 'info', 'warn', 'error'],
}]
