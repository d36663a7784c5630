# @summary A unit of systemd: the archive's, or with packages nothing that would hide the package's
#
# @api private
define kick::unit {
  $file = "/etc/systemd/system/${title}"

  if $kick::install_method == 'archive' {
    include kick::archive

    file { $file:
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      source  => "file://${kick::archive_dir}/current/usr/lib/systemd/system/${title}",
      require => Class['kick::archive'],
    }
  } else {
    # As a checkout or an archive has left it: it may not be able to start the package's kick.
    file { $file:
      ensure => absent,
    }
  }
}
