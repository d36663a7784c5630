# frozen_string_literal: true

require 'spec_helper'

describe 'kick::agent' do
  on_families.each do |family, (provider, suffix)|
    context "on #{family}" do
      let(:facts) { facts_of(family) }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_package('kick-agent').with(ensure: 'installed', source: nil, provider: nil) }
      it { is_expected.to contain_file('/etc/kick/agent.yaml').with_content("# Managed by Puppet\n--- {}\n") }
      it { is_expected.to contain_service('kick-agent').with(ensure: 'running', enable: true) }

      context 'with a package from the Puppet server' do
        let(:params) { { package_source: 'puppet:///modules/profile/kick' } }
        let(:file) { "/var/cache/kick/kick-agent.#{suffix}" }

        it { is_expected.to compile.with_all_deps }
        it { is_expected.to contain_file(file).with_source('puppet:///modules/profile/kick') }

        it {
          is_expected.to contain_package('kick-agent')
            .with(ensure: 'latest', source: file, provider: provider).that_requires("File[#{file}]")
        }
      end
    end
  end

  let(:facts) { facts_of('Debian') }

  it 'is installed, configured and started, in this order' do
    is_expected.to contain_package('kick-agent').that_comes_before('File[/etc/kick/agent.yaml]')
    is_expected.to contain_file('/etc/kick/agent.yaml').that_requires('File[/etc/kick]')
    is_expected.to contain_exec('restart kick-agent').that_comes_before('Service[kick-agent]')
  end

  it 'has the units of the package' do
    %w[service socket].each do |kind|
      is_expected.to contain_file("/etc/systemd/system/kick-agent.#{kind}")
        .with_ensure('absent').that_requires('Package[kick-agent]').that_notifies('Exec[restart kick-agent]')
    end
  end

  it 'is not ended by a change of what a reload applies' do
    is_expected.to contain_service('kick-agent')
      .with_restart('systemctl reload kick-agent.service').that_subscribes_to('File[/etc/kick/agent.yaml]')
    is_expected.to contain_exec('restart kick-agent')
      .with_refreshonly(true).that_subscribes_to('File[/etc/kick/.agent-restart]')
  end

  context 'with settings' do
    let(:params) { { config: { 'port' => 8140, 'controllers' => ['12e4'], 'pull' => { 'runinterval' => '2h' } } } }

    it 'writes them' do
      is_expected.to contain_file('/etc/kick/agent.yaml').with_content(
        %(# Managed by Puppet\n---\nport: 8140\ncontrollers:\n- "12e4"\npull:\n  runinterval: "2h"\n)
      )
    end

    it 'restarts for those that a reload does not apply' do
      is_expected.to contain_file('/etc/kick/.agent-restart').with_content(/\n---\nport: 8140\n\z/)
    end
  end

  {
    'an unknown key' => [{ 'prot' => 8139 }, /unrecognized key 'prot'/],
    'a port that is none' => [{ 'port' => 65_536 }, /entry 'port' expects an Integer\[0, 65535\]/],
    'a time that is none' => [{ 'run_timeout' => '1 hour' }, /entry 'run_timeout'/],
    'a certname that is none' => [{ 'controllers' => ['Web1'] }, /entry 'controllers' index 0/],
    'an operation that is none' => [{ 'controllers' => [{ 'name' => 'a', 'ops' => ['start'] }] }, /'ops'/]
  }.each do |what, (config, message)|
    context "with #{what}" do
      let(:params) { { config: config } }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end

  it 'has no socket' do
    is_expected.to contain_service('kick-agent.socket')
      .with(ensure: 'stopped', enable: false).that_comes_before('Exec[restart kick-agent]')
    is_expected.to contain_exec('restart kick-agent').with_command(/systemctl try-restart kick-agent.service\z/)
  end

  context 'with socket activation' do
    let(:params) { { socket_activation: true } }
    let(:drop_in) { '/etc/systemd/system/kick-agent.socket.d/puppet.conf' }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_service('kick-agent.socket').with(ensure: 'running', enable: true) }
    it { is_expected.to contain_service('kick-agent').with(ensure: nil, enable: true) }
    it { is_expected.to contain_file(drop_in).with_ensure('absent') }

    { 'pull' => {}, 'nats' => { 'servers' => ['nats1'] } }.each do |key, value|
      context "with #{key}, which never sleeps" do
        let(:params) { { socket_activation: true, config: { key => value } } }

        it { is_expected.to contain_service('kick-agent').with(ensure: 'running', enable: true) }
      end
    end

    context 'when it is stopped' do
      let(:params) { { socket_activation: true, service_ensure: 'stopped', service_enable: false } }

      it { is_expected.to contain_service('kick-agent.socket').with(ensure: 'stopped', enable: false) }
      it { is_expected.to contain_service('kick-agent').with(ensure: 'stopped', enable: false) }
      it { is_expected.not_to contain_exec('restart kick-agent').with_command(/systemctl start/) }
    end

    context 'on any free port' do
      let(:params) { { socket_activation: true, config: { 'port' => 0 } } }

      it { is_expected.to compile.and_raise_error(/parameter 'port'/) }
    end

    it 'takes the port when the agent has let go of it' do
      is_expected.to contain_exec('restart kick-agent')
        .with_command(/systemctl stop kick-agent.socket kick-agent.service && systemctl start kick-agent.socket /)
        .that_comes_before('Service[kick-agent.socket]')
    end

    {
      { 'port' => 8140 } => '8140', { 'bind' => '::1' } => '[::1]:8139',
      { 'port' => 8140, 'bind' => '192.0.2.1' } => '192.0.2.1:8140'
    }.each do |config, listen|
      context "on #{listen}" do
        let(:params) { { socket_activation: true, config: config } }

        it { is_expected.to compile.with_all_deps }

        it {
          is_expected.to contain_file(drop_in)
            .with(ensure: 'file', content: /^ListenStream=#{Regexp.escape(listen)}$/)
            .that_comes_before('Exec[restart kick-agent]')
        }
      end
    end
  end

  it 'is one process' do
    is_expected.not_to contain_user('kick-listener')
    %w[kick-listener kick-helper.socket kick-helper].each do |name|
      is_expected.to contain_service(name).with(ensure: 'stopped', enable: false).that_comes_before('Service[kick-agent]')
    end
  end

  context 'separated' do
    let(:params) { { separated: true } }
    let(:drop_in) { '/etc/systemd/system/kick-listener.service.d/puppet.conf' }
    let(:node) { 'web1.example.com' }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_service('kick-agent').with(ensure: 'stopped', enable: false) }
    it { is_expected.to contain_service('kick-agent.socket').with(ensure: 'stopped', enable: false) }
    it { is_expected.to contain_service('kick-helper').with(ensure: nil, enable: true) }
    it { is_expected.to contain_user('kick-listener').that_comes_before('Service[kick-helper.socket]') }

    it 'has both halves once the agent has let go' do
      %w[kick-listener kick-helper.socket].each do |name|
        is_expected.to contain_service(name).with(ensure: 'running', enable: true).that_requires('Service[kick-agent]')
      end
    end

    it 'reloads and restarts both of them' do
      %w[kick-listener kick-helper].each do |name|
        is_expected.to contain_service(name)
          .with_restart("systemctl reload #{name}.service").that_subscribes_to('File[/etc/kick/agent.yaml]')
      end
      is_expected.to contain_exec('restart kick-agent')
        .with_command(/try-restart kick-helper.service kick-listener.service\z/).that_comes_before('Service[kick-listener]')
    end

    it 'gives the listener the key of this host' do
      is_expected.to contain_file(drop_in).that_notifies('Exec[restart kick-agent]').with_content(
        %r{^Environment=SSL_DIR=/etc/puppetlabs/puppet/ssl KICK_CERTNAME=web1.example.com
LoadCredential=
LoadCredential=key.pem:/etc/puppetlabs/puppet/ssl/private_keys/web1.example.com.pem$}
      )
    end

    it 'has the units of the package' do
      %w[kick-listener.service kick-helper.service kick-helper.socket].each do |name|
        is_expected.to contain_file("/etc/systemd/system/#{name}")
          .with_ensure('absent').that_requires('Package[kick-agent]').that_comes_before('Service[kick-helper.socket]')
      end
    end

    context "with kick's own CA and a broker" do
      let(:params) do
        nats = { 'servers' => ['nats1'] }
        { separated: true, config: { 'pki_dir' => '/etc/kick/pki', 'certname' => 'a.b', 'listen' => false, 'nats' => nats } }
      end

      it { is_expected.to contain_file(drop_in).with_content(%r{=key.pem:/etc/kick/pki/private_keys/a.b.pem$}) }
      it { is_expected.to contain_service('kick-helper').with(ensure: nil, enable: true) }
    end

    context 'with the ssldir of another Puppet' do
      let(:params) { { separated: true, ssl_dir: '/var/lib/puppet/ssl' } }

      it { is_expected.to contain_file(drop_in).with_content(%r{=SSL_DIR=/var/lib/puppet/ssl }) }
    end

    context 'with pull, whose helper never sleeps' do
      let(:params) { { separated: true, config: { 'pull' => {} } } }

      it { is_expected.to contain_service('kick-helper').with(ensure: 'running', enable: true) }
    end

    context 'when it is stopped' do
      let(:params) { { separated: true, service_ensure: 'stopped', service_enable: false } }

      it 'is stopped whole' do
        %w[kick-listener kick-helper.socket kick-helper].each do |name|
          is_expected.to contain_service(name).with(ensure: 'stopped', enable: false)
        end
      end
    end

    context 'with socket activation' do
      let(:params) { { separated: true, socket_activation: true } }

      it { is_expected.to compile.and_raise_error(/exclude each other/) }
    end
  end

  context 'from an archive' do
    let(:pre_condition) do
      "class { 'kick': install_method => 'archive', archive_source => 'puppet:///modules/profile/kick.tar.gz' }"
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.not_to contain_package('kick-agent') }
    it { is_expected.to contain_file('/var/cache/kick/kick.tar.gz').that_comes_before('Exec[unpack kick]') }
    it { is_expected.to contain_exec('unpack kick').that_notifies('Exec[restart kick-agent]') }
    it { is_expected.to contain_file('/etc/systemd/system/kick-agent.service').that_requires('Exec[unpack kick]') }
    it { is_expected.to contain_file('/usr/bin/kick').with_target('/opt/kick/current/usr/bin/kick') }
  end

  context 'from an archive that nobody names' do
    let(:pre_condition) { "class { 'kick': install_method => 'archive' }" }

    it { is_expected.to compile.and_raise_error(/needs archive_source/) }
  end

  context 'where the site installs it' do
    let(:pre_condition) { "class { 'kick': install_method => 'none' }" }

    it { is_expected.not_to contain_package('kick-agent') }
    it { is_expected.to contain_service('kick-agent') }
  end
end
