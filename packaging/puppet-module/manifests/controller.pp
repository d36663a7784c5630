# @summary The command `kick`, which makes Puppet run on hosts, and its page in a browser
#
# @example The command
#   include kick::controller
#
# @example With a domain, an inventory and the page
#   class { 'kick::controller':
#     config    => {
#       'domain' => 'example.com',
#       'web'    => { 'port' => 443 },
#     },
#     inventory => {
#       'groups' => { 'web' => { 'nodes' => 'web[01-20]' } },
#     },
#     serve     => true,
#   }
#
# @param config
#   What controller.yaml says. Hiera merges the keys of its levels; a key is replaced, never merged.
# @param inventory
#   What inventory.yaml says, in the format of Bolt; undef: not managed.
# @param package_name
#   The package.
# @param package_ensure
#   As in the `package` resource; defaults to `installed`, with `package_source` to `latest`: the version of that file.
# @param package_source
#   The package's file, if it comes from no repository.
# @param serve
#   Whether `kick serve` runs, which has the page and the REST API; undef: not managed.
class kick::controller (
  Kick::Controller::Config      $config         = {},
  Optional[Hash[String, Data]]  $inventory      = undef,
  String[1]                     $package_name   = 'kick',
  Optional[Kick::Source]        $package_source = undef,
  String[1]                     $package_ensure = $package_source ? { undef => 'installed', default => 'latest' },
  Optional[Boolean]             $serve          = undef,
) {
  include kick

  if $kick::install_method == 'package' {
    kick::package { $package_name:
      ensure => $package_ensure,
      source => $package_source,
      before => File["${kick::config_dir}/controller.yaml"],
    }

    # It depends on the agent's, of its version or a newer one.
    Kick::Package<| title != $package_name |> -> Kick::Package[$package_name]
  }

  if $kick::install_method == 'archive' {
    include kick::archive
  }

  file { "${kick::config_dir}/controller.yaml":
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => "# Managed by Puppet\n${kick::to_yaml($config)}",
  }

  if $inventory =~ NotUndef {
    file { "${kick::config_dir}/inventory.yaml":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => "# Managed by Puppet\n${kick::to_yaml($inventory)}",
    }
  }

  if $serve =~ NotUndef {
    unless $kick::install_method == 'none' {
      kick::unit { 'kick-serve.service':
        require => File["${kick::config_dir}/controller.yaml"],
        notify  => Service['kick-serve'],
      }
    }

    if $kick::install_method == 'archive' {
      include kick::archived_server

      Exec['unpack kick'] ~> Service['kick-serve']
    }

    service { 'kick-serve':
      ensure    => $serve,
      enable    => $serve,
      subscribe => File["${kick::config_dir}/controller.yaml"],
    }
  }
}
