# @summary The folder of what is downloaded
#
# @api private
class kick::downloads {
  file { $kick::download_dir:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
}
