# @summary kick from its tar.gz, in the places of the packages
#
# Each archive has a folder of its own, named after its checksum, and a link leads to the current one: whatever runs meanwhile keeps
# its files. An archive that does not unpack, or whose kick does not start here (one for another processor), changes nothing.
#
# @api private
class kick::archive {
  include kick::downloads

  unless $kick::archive_source {
    fail('kick: install_method archive needs archive_source')
  }

  $file = "${kick::download_dir}/kick.tar.gz"
  $dir = $kick::archive_dir
  $id = "$(sha256sum < ${file} | cut -c 1-16)"

  file { $file:
    ensure => file,
    owner  => 'root',
    group  => 'root',
    mode   => '0644',
    source => $kick::archive_source,
  }

  file { $dir:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  $unpack = [
    "cd ${dir}", "id=${id}", 'rm -rf .new', 'mkdir .new',
    "tar -xzf ${file} --no-same-owner --strip-components=1 -C .new",
    '.new/usr/bin/kick --version > /dev/null',
    'rm -rf "$id"', 'mv .new "$id"', 'before=$(readlink current || true)', 'ln -sfn "$id" .next', 'mv -fT .next current',
  ]

  # The folder may have others, those of a checkout for example.
  $archives = 'find . -maxdepth 1 -type d -regextype posix-extended -regex "\./[0-9a-f]{16}"'

  exec { 'unpack kick':
    command  => "${join($unpack, ' && ')} && ${archives} ! -name \"\$id\" ! -name \"\$before\" -exec rm -rf {} +",
    unless   => "test \"$(readlink ${dir}/current)\" = \"${id}\"",
    provider => shell,
    path     => ['/usr/bin', '/bin'],
    require  => File[$file, $dir],
  }

  file {
    default:
      ensure  => link,
      require => Exec['unpack kick'],
      ;
    '/usr/lib/kick':
      target => "${dir}/current/usr/lib/kick",
      ;
    '/usr/bin/kick':
      target => "${dir}/current/usr/bin/kick",
      ;
  }
}
