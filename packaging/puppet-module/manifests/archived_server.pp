# @summary What the package does for `kick serve`: its user, and its way through the agent's folder
#
# @api private
class kick::archived_server {
  $drop_in = 'kick-agent.service.d'

  user { 'kick':
    ensure => present,
    system => true,
    home   => '/var/lib/kick',
    shell  => '/usr/sbin/nologin',
    before => Service['kick-serve'],
  }

  file {
    default:
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      before => Service['kick-serve'],
      ;
    "/etc/systemd/system/${drop_in}":
      ensure => directory,
      mode   => '0755',
      ;
    "/etc/systemd/system/${drop_in}/controller.conf":
      ensure  => file,
      source  => "file://${kick::archive_dir}/current/usr/share/doc/kick/examples/${drop_in}/controller.conf",
      require => Class['kick::archive'],
      ;
    '/var/lib/kick':
      ensure => directory,
      mode   => '0711',
      ;
  }

  # The unit would take the folder for itself again.
  File["/etc/systemd/system/${drop_in}/controller.conf"] ~> Exec<| title == 'restart kick-agent' |> -> File['/var/lib/kick']
}
