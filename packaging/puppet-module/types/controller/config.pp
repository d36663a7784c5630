# @summary The keys of controller.yaml
#
# What is not set has the default of kick.
#
# * `port`: TCP port on which agents listen (default: 8139)
# * `concurrency`: maximum number of runs at once (default: 25)
# * `domain`: appended to names without a dot (default: that of the controller's certname)
# * `confirm_above`: asks for confirmation above this many hosts, on a terminal and without --yes (default: 50)
# * `puppetdb`: false: never ask PuppetDB (default: Puppet's puppetdb.conf)
# * `puppetdb.urls`: where PuppetDB is, as in https://puppetdb.example.com:8081
# * `address_from`: fact in PuppetDB with the address of hosts that DNS does not know: facts.networking.ip (default: none)
# * `nats`: brokers (NATS) through which hosts with `via: nats` are reached (default: none)
# * `nats.servers`: a list like tls://nats1.example.com:4222
# * `nats.tls`: false: without TLS, only to a broker on this machine (default: true)
# * `groups`: groups by name, with the keys of groups in inventory.yaml (default: none)
# * `metrics_file`: file for Prometheus, ending in .prom (default: none)
# * `web`: kick serve, the web page and the REST API
# * `web.port`: where it listens (default: 8443)
# * `web.bind`: the address on which it listens (default: all)
# * `web.certificate`: PEM file with the certificate that browsers see (default: the controller's)
# * `web.key`: PEM file with its key (default: the controller's)
# * `web.url`: what browsers call it: https://kick.example.com:8443; OIDC needs it
# * `web.metrics`: whether anybody may read GET /metrics (default: false)
# * `web.certificates`: programs that may come in with a certificate of the controller's CA (default: none)
# * `web.certificates.name`: the certname
# * `web.certificates.role`: viewer, operator or admin
# * `web.certificates.hosts`: expression: only these hosts (default: all)
# * `web.certificates.environments`: only these environments (default: all)
# * `web.certificates.noop_only`: only runs with noop (default: false)
# * `web.certificates.max_hosts`: at most so many hosts in a job
# * `web.oidc`: people who sign in at a provider of OpenID Connect (default: none)
# * `web.oidc.issuer`: its URL
# * `web.oidc.client_id`: what kick is called there
# * `web.oidc.secret_file`: file with the secret of this client
# * `web.oidc.scope`: scopes that are asked for (default: openid profile)
# * `web.oidc.name_claim`: claim with the name of the person (default: preferred_username)
# * `web.oidc.groups_claim`: claim with the groups of the person (default: groups)
# * `web.oidc.groups`: groups that may come in; the first that fits counts
# * `web.oidc.groups.name`: the name of the group
# * `web.oidc.groups.role`: viewer, operator or admin
# * `web.oidc.groups.hosts`: expression: only these hosts (default: all)
# * `web.oidc.groups.environments`: only these environments (default: all)
# * `web.oidc.groups.noop_only`: only runs with noop (default: false)
# * `web.oidc.groups.max_hosts`: at most so many hosts in a job
# * `web.hooks`: webhooks, POST /hooks/NAME, that run Puppet (default: none)
# * `web.hooks.name`: the last part of its address
# * `web.hooks.kind`: who sends it: github, gitlab or kick
# * `web.hooks.secret_file`: file with the secret that the sender knows
# * `web.hooks.hosts`: expression that names hosts
# * `web.hooks.branches`: mapping from a branch to its environment; `'*': '*'`: the branch's own name
# * `web.hooks.noop`: whether its runs are noop (default: false)
# * `web.hooks.canary`: how many hosts run first
# * `web.hooks.max_failures`: hosts, or a share of them, that may fail
# * `syslog`: whether to log jobs and outcomes to the journal; or the program that takes the lines, as a list (default: false)
#
# Written by `npm run docs` from the schema of kick.
type Kick::Controller::Config = Struct[{
  Optional['port']          => Integer[1, 65535],
  Optional['concurrency']   => Integer[1, 10000],
  Optional['domain']        => Kick::Hostname,
  Optional['confirm_above'] => Integer[0],
  Optional['puppetdb']      => Variant[Boolean[false], Struct[{
    'urls' => Array[Pattern[/\A[A-Za-z][A-Za-z0-9+.-]*:\S+\z/], 1],
  }]],
  Optional['address_from']  => Pattern[/\Afacts\.[A-Za-z0-9_.-]{1,200}\z/],
  Optional['nats']          => Kick::Nats,
  Optional['groups']        => Hash[String, Data],
  Optional['metrics_file']  => Pattern[/\A\//],
  Optional['web']           => Struct[{
    Optional['port']         => Integer[1, 65535],
    Optional['bind']         => Pattern[/\A[0-9A-Fa-f.:]+\z/],
    Optional['certificate']  => Pattern[/\A\//],
    Optional['key']          => Pattern[/\A\//],
    Optional['url']          => Pattern[/\A[A-Za-z][A-Za-z0-9+.-]*:\S+\z/],
    Optional['metrics']      => Boolean,
    Optional['certificates'] => Array[Struct[{
      'name'                   => Kick::Certname,
      'role'                   => Enum['viewer', 'operator', 'admin'],
      Optional['hosts']        => String[0, 4096],
      Optional['environments'] => Array[Kick::Environment, 1],
      Optional['noop_only']    => Boolean[true],
      Optional['max_hosts']    => Integer[1, 1000000],
    }]],
    Optional['oidc']         => Struct[{
      'issuer'                 => Pattern[/\A[A-Za-z][A-Za-z0-9+.-]*:\S+\z/],
      'client_id'              => String[0, 256],
      Optional['secret_file']  => Pattern[/\A\//],
      Optional['scope']        => String[0, 512],
      Optional['name_claim']   => String[0, 64],
      Optional['groups_claim'] => String[0, 64],
      'groups'                 => Array[Struct[{
        'name'                   => String[0, 256],
        'role'                   => Enum['viewer', 'operator', 'admin'],
        Optional['hosts']        => String[0, 4096],
        Optional['environments'] => Array[Kick::Environment, 1],
        Optional['noop_only']    => Boolean[true],
        Optional['max_hosts']    => Integer[1, 1000000],
      }], 1],
    }],
    Optional['hooks']        => Array[Struct[{
      'name'                   => Pattern[/\A[a-z0-9][a-z0-9_-]{0,63}\z/],
      'kind'                   => Enum['github', 'gitlab', 'kick'],
      'secret_file'            => Pattern[/\A\//],
      'hosts'                  => String[0, 4096],
      'branches'               => Hash[String[0, 256], String[0, 128]],
      Optional['noop']         => Boolean,
      Optional['canary']       => Integer[1, 100000],
      Optional['max_failures'] => Pattern[/\A\d{1,7}%?\z/],
    }]],
  }],
  Optional['syslog']        => Variant[Boolean, Array[String, 1]],
}]
