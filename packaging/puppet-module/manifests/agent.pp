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
# @param config
#   What agent.yaml says. Hiera merges the keys of its levels; a key is replaced, never merged.
# @param package_name
#   The package.
# @param package_ensure
#   As of the resource type `package`; defaults to `installed`, with `package_source` to `latest`: the version of that file.
# @param package_source
#   The package's file, if it comes from no repository.
# @param service_ensure
#   Whether the agent runs.
# @param service_enable
#   Whether the agent starts at boot.
class kick::agent (
  Kick::Agent::Config        $config         = {},
  String[1]                  $package_name   = 'kick-agent',
  Optional[Kick::Source]     $package_source = undef,
  String[1]                  $package_ensure = $package_source ? { undef => 'installed', default => 'latest' },
  Enum['running', 'stopped'] $service_ensure = 'running',
  Boolean                    $service_enable = true,
) {
  include kick

  if $config['listen'] == false and !('nats' in $config) and !('pull' in $config) {
    fail('kick::agent: without a port, nats or pull nobody can reach this host')
  }

  if $kick::install_method == 'package' {
    kick::package { $package_name:
      ensure => $package_ensure,
      source => $package_source,
      before => File["${kick::config_dir}/agent.yaml"],
    }
  }

  # A reload applies these keys. Any other takes a new agent, which adopts the runs of the old one.
  $for_restart = $config - ['controllers', 'trust_pp_cli_auth', 'pull']

  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    "${kick::config_dir}/agent.yaml":
      content => "# Managed by Puppet\n${kick::to_yaml($config)}",
      ;
    "${kick::config_dir}/.agent-restart":
      content => "# Managed by Puppet: what a reload does not apply\n${kick::to_yaml($for_restart)}",
      require => File["${kick::config_dir}/agent.yaml"],
      ;
  }

  exec { 'restart kick-agent':
    command     => 'systemctl try-restart kick-agent.service',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
    subscribe   => File["${kick::config_dir}/.agent-restart"],
    before      => Service['kick-agent'],
  }

  # By default Puppet would restart it, in the middle of a run that it has started.
  service { 'kick-agent':
    ensure    => $service_ensure,
    enable    => $service_enable,
    restart   => 'systemctl reload kick-agent.service',
    subscribe => File["${kick::config_dir}/agent.yaml"],
  }
}
