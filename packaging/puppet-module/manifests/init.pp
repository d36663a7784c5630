# @summary What the agent and the controller have in common
#
# `kick::agent` and `kick::controller` include it. Declare it only to set its parameters, or set them in Hiera.
#
# @param install_method
#   `package`; `archive` for kick's tar.gz; or `none` if the site installs kick and its units by itself.
# @param archive_source
#   The tar.gz, with `install_method` `archive`.
# @param archive_dir
#   Where it is unpacked.
# @param config_dir
#   The folder of agent.yaml, controller.yaml and inventory.yaml. kick must be told of any other by `KICK_CONFIG_DIR`.
# @param download_dir
#   Where packages and archives lie that come from no repository.
# @param package_provider
#   What installs such a package.
# @param package_suffix
#   File name extension of such a package.
class kick (
  Enum['package', 'archive', 'none'] $install_method   = 'package',
  Optional[Kick::Source]             $archive_source   = undef,
  Kick::Path                         $archive_dir      = '/opt/kick',
  Kick::Path                         $config_dir       = '/etc/kick',
  Kick::Path                         $download_dir     = '/var/cache/kick',
  Optional[String[1]]                $package_provider = undef,
  String[1]                          $package_suffix   = 'package',
) {
  file { $config_dir:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
}
