# @summary The address of a socket unit, where it is not the unit's own
#
# @param port
#   The TCP port; undef: that of kick.
# @param bind
#   The address; undef: all.
#
# @api private
define kick::socket_port (
  Optional[Integer[1, 65535]] $port = undef,
  Optional[String]            $bind = undef,
) {
  $folder = "/etc/systemd/system/${title}.socket.d"
  $is_own = $port =~ Undef and $bind =~ Undef
  $number = $port ? {
    Undef   => 8139,
    default => $port,
  }
  $listen = $bind ? {
    Undef   => $number,
    /:/     => "[${bind}]:${number}",
    default => "${bind}:${number}",
  }

  if $is_own {
    $ensure = 'absent'
  } else {
    $ensure = 'file'

    file { $folder:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
  }

  file { "${folder}/puppet.conf":
    ensure  => $ensure,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => "# Managed by Puppet\n[Socket]\nListenStream=\nListenStream=${listen}\n",
  }
}
