# @summary The agent, which lets controllers start Puppet on this node
#
# Nothing has to be set: certificates are Puppet's, and controllers are those whose certificate has `pp_cli_auth`, as the
# Puppet server's has. A run of Puppet that the agent has started may install, upgrade, configure and restart the agent.
#
# @example The agent, from the package repository
#   include kick::agent
#
# @example Another controller, and a run every two hours without one
#   class { 'kick::agent':
#     config => {
#       'controllers' => ['deploy.example.com'],
#       'pull'        => { 'runinterval' => '2h' },
#     },
#   }
#
# @example A package from the Puppet server, which upgrades when it is replaced there
#   class { 'kick::agent':
#     package_source => 'puppet:///modules/profile/kick-agent.deb',
#   }
#
# @example A listener without rights in front of it
#   class { 'kick::agent':
#     separated => true,
#   }
#
# @param config
#   What agent.yaml says. Hiera merges the keys of its levels; a key is replaced, never merged.
# @param package_name
#   The package.
# @param package_ensure
#   As in the `package` resource; defaults to `installed`, with `package_source` to `latest`: the version of that file.
# @param package_source
#   The package's file, if it comes from no repository.
# @param service_ensure
#   Whether the agent runs. With `socket_activation`: whether connections can start it.
# @param service_enable
#   The same from the next boot on.
# @param socket_activation
#   Whether the agent starts with the first connection, and ends when nothing needs it any more. It takes no memory meanwhile.
# @param separated
#   Whether the agent is two processes: kick-listener, without rights, has port, broker and key, and kick-helper, which is root,
#   has none of them, verifies each request again and sleeps when nothing needs it.
# @param ssl_dir
#   Where the host's certificate, key, CA and CRL are, for `separated`; defaults to `pki_dir` of `config`, or to Puppet's.
class kick::agent (
  Kick::Agent::Config        $config            = {},
  String[1]                  $package_name      = 'kick-agent',
  Optional[Kick::Source]     $package_source    = undef,
  String[1]                  $package_ensure    = $package_source ? { undef => 'installed', default => 'latest' },
  Enum['running', 'stopped'] $service_ensure    = 'running',
  Boolean                    $service_enable    = true,
  Boolean                    $socket_activation = false,
  Boolean                    $separated         = false,
  Optional[Kick::Path]       $ssl_dir           = undef,
) {
  include kick

  if $separated and $socket_activation {
    fail('kick::agent: separated and socket_activation exclude each other; the helper of a separated agent sleeps by itself')
  }

  if $kick::install_method == 'package' {
    kick::package { $package_name:
      ensure => $package_ensure,
      source => $package_source,
      before => [Kick::Unit['kick-agent.service', 'kick-agent.socket'], Class['kick::separated']],
    }
  }

  unless $kick::install_method == 'none' {
    kick::unit { ['kick-agent.service', 'kick-agent.socket']:
      before => File["${kick::config_dir}/agent.yaml"],
      notify => Exec['restart kick-agent'],
    }
  }

  if $kick::install_method == 'archive' {
    Exec['unpack kick'] ~> Exec['restart kick-agent']
  }

  # A reload applies these keys. Any other takes a new agent, which adopts the runs of the old one.
  $for_restart = $config - ['controllers', 'trust_pp_cli_auth', 'pull'] + {
    'socket_activation' => $socket_activation,
    'separated'         => $separated,
  }.filter |$_, $used| { $used }

  # kick finds what depends on several keys; then the old file stays. The kick in /usr/bin is the one that the service runs.
  $kick = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH kick'
  $check = "d=$(mktemp -d ${kick::config_dir}/.check-XXXXXX) && cp % \$d/agent.yaml && ${kick} agent --check --config-dir \$d"

  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    "${kick::config_dir}/agent.yaml":
      content      => "# Managed by Puppet\n${kick::to_yaml($config)}",
      validate_cmd => "${check}; e=$?; rm -r \$d; exit \$e",
      ;
    "${kick::config_dir}/.agent-restart":
      content => "# Managed by Puppet: what a reload does not apply\n${kick::to_yaml($for_restart)}",
      require => File["${kick::config_dir}/agent.yaml"],
      ;
  }

  if $socket_activation {
    # The agent lets go of the port before the socket takes it. Only an agent that ran is started again.
    $start = $service_ensure ? {
      'running' => ' && systemctl start kick-agent.socket $agent',
      default   => '',
    }
    $restart = [
      'agent=; if systemctl is-active --quiet kick-agent.service; then agent=kick-agent.service; fi;',
      "systemctl daemon-reload && systemctl stop kick-agent.socket kick-agent.service${start}",
    ].join(' ')
    $socket_ensure = $service_ensure

    # Without pull and nats it may sleep; at boot it settles what the reboot has left.
    $service_needed = $service_ensure == 'stopped' or 'pull' in $config or 'nats' in $config
    $service = { 'enable' => $service_enable } + ($service_needed ? {
        true    => { 'ensure' => $service_ensure },
        default => {},
    })

    kick::socket_port { 'kick-agent':
      port   => $config['port'],
      bind   => $config['bind'],
      before => Exec['restart kick-agent'],
    }

    Exec['restart kick-agent'] -> Service['kick-agent.socket']
  } elsif $separated {
    $restart = 'systemctl daemon-reload && systemctl try-restart kick-helper.service kick-listener.service'
    $socket_ensure = 'stopped'
    $service = { 'ensure' => 'stopped', 'enable' => false }
  } else {
    $restart = 'systemctl daemon-reload && systemctl try-restart kick-agent.service'
    $socket_ensure = 'stopped'
    $service = { 'ensure' => $service_ensure, 'enable' => $service_enable }

    Service['kick-agent.socket'] -> Exec['restart kick-agent']
  }

  exec { 'restart kick-agent':
    command     => $restart,
    provider    => shell,
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
    subscribe   => File["${kick::config_dir}/.agent-restart"],
    before      => Service['kick-agent'],
  }

  service { 'kick-agent.socket':
    ensure => $socket_ensure,
    enable => $socket_activation and $service_enable,
    before => Service['kick-agent'],
  }

  # By default Puppet would restart it, in the middle of a run that it has started.
  service { 'kick-agent':
    restart   => 'systemctl reload kick-agent.service',
    subscribe => File["${kick::config_dir}/agent.yaml"],
    *         => $service,
  }

  $certname = $config['certname'] ? {
    undef   => $trusted['certname'],
    default => $config['certname'],
  }
  $ssl_dirs = [$ssl_dir, $config['pki_dir'], '/etc/puppetlabs/puppet/ssl'].filter |$dir| { $dir =~ NotUndef }

  class { 'kick::separated':
    used         => $separated,
    ensure       => $service_ensure,
    enable       => $service_enable,
    keeps_helper => 'pull' in $config,
    certname     => $certname,
    ssl_dir      => $ssl_dirs[0],
  }
}
