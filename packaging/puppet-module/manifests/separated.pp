# @summary The agent as two processes, or neither of them
#
# @param used
#   Whether there are kick-listener and kick-helper in the place of kick-agent.
# @param ensure
#   Whether the listener runs, and connections to it can start the helper.
# @param enable
#   The same from the next boot on.
# @param keeps_helper
#   Whether the helper has work without any request, and never sleeps.
# @param certname
#   The name in the host's certificate.
# @param ssl_dir
#   The folder with certs, private_keys and crl.pem.
#
# @api private
class kick::separated (
  Boolean                    $used,
  Enum['running', 'stopped'] $ensure,
  Boolean                    $enable,
  Boolean                    $keeps_helper,
  Kick::Certname             $certname,
  Kick::Path                 $ssl_dir,
) {
  if $used {
    unless $kick::install_method == 'none' {
      kick::unit { ['kick-listener.service', 'kick-helper.service', 'kick-helper.socket']:
        before => Service['kick-helper.socket'],
        notify => Exec['restart kick-agent'],
      }
    }

    # Of nothing else: it can read the memory of whatever has the same user.
    group { 'kick-listener':
      ensure => present,
      system => true,
    }

    user { 'kick-listener':
      ensure     => present,
      system     => true,
      gid        => 'kick-listener',
      home       => '/',
      managehome => false,
      shell      => '/usr/sbin/nologin',
      before     => Service['kick-helper.socket'],
    }

    $folder = '/etc/systemd/system/kick-listener.service.d'
    $settings = [
      '[Service]', "Environment=SSL_DIR=${ssl_dir} KICK_CERTNAME=${certname}",
      'LoadCredential=', "LoadCredential=key.pem:${ssl_dir}/private_keys/${certname}.pem",
    ]

    file {
      default:
        owner => 'root',
        group => 'root',
        ;
      $folder:
        ensure => directory,
        mode   => '0755',
        ;
      "${folder}/puppet.conf":
        ensure  => file,
        mode    => '0644',
        content => "# Managed by Puppet\n${join($settings, "\n")}\n",
        notify  => Exec['restart kick-agent'],
        ;
    }

    # It may sleep; at boot it settles what the reboot has left.
    $helper = ($keeps_helper or $ensure == 'stopped') ? {
      true    => { 'ensure' => $ensure },
      default => {},
    }

    service {
      default:
        enable  => $enable,
        require => Service['kick-agent'],
        ;
      'kick-helper.socket':
        ensure => $ensure,
        before => Service['kick-helper', 'kick-listener'],
        ;
      'kick-helper':
        restart   => 'systemctl reload kick-helper.service',
        subscribe => File["${kick::config_dir}/agent.yaml"],
        *         => $helper,
        ;
      'kick-listener':
        ensure    => $ensure,
        restart   => 'systemctl reload kick-listener.service',
        subscribe => File["${kick::config_dir}/agent.yaml"],
        ;
    }
  } else {
    service {
      default:
        ensure => stopped,
        enable => false,
        ;
      'kick-listener':
        before => Service['kick-helper.socket'],
        ;
      'kick-helper.socket':
        before => Service['kick-helper'],
        ;
      'kick-helper':
        before => Service['kick-agent'],
        ;
    }
  }
}
