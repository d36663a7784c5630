# @summary A package of kick, from a repository or from a file
#
# @param ensure
#   As in the `package` resource. With a source, `latest` is the version of that file.
# @param source
#   The file, if it comes from no repository.
#
# @api private
define kick::package (
  String[1]              $ensure,
  Optional[Kick::Source] $source,
) {
  if $source =~ Undef {
    package { $title:
      ensure => $ensure,
    }
  } else {
    include kick::downloads

    # What installs a file needs it on the node.
    $file = "${kick::download_dir}/${title}.${kick::package_suffix}"

    file { $file:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      source => $source,
    }
    -> package { $title:
      ensure   => $ensure,
      provider => $kick::package_provider,
      source   => $file,
    }
  }
}
