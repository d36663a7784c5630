# @summary A unit of systemd, from the archive
#
# @api private
define kick::unit {
  include kick::archive

  file { "/etc/systemd/system/${title}":
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    source  => "file://${kick::archive_dir}/current/usr/lib/systemd/system/${title}",
    require => Class['kick::archive'],
  }
}
