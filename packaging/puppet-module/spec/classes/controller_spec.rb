# frozen_string_literal: true

require 'spec_helper'

describe 'kick::controller' do
  on_families.each_key do |family|
    context "on #{family}" do
      let(:facts) { facts_of(family) }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_package('kick').that_comes_before('File[/etc/kick/controller.yaml]') }
      it { is_expected.to contain_file('/etc/kick/controller.yaml').with_content("# Managed by Puppet\n--- {}\n") }
      it { is_expected.not_to contain_file('/etc/kick/inventory.yaml') }
      it { is_expected.not_to contain_service('kick-serve') }
    end
  end

  let(:facts) { facts_of('Debian') }

  context 'with everything' do
    let(:params) do
      {
        config: {
          'domain' => 'example.com', 'puppetdb' => false, 'syslog' => ['/usr/bin/systemd-cat', '-t', 'kick'],
          'web' => { 'certificates' => [{ 'name' => 'ci.example.com', 'role' => 'operator', 'noop_only' => true }] }
        },
        inventory: { 'targets' => ['web1.example.com', { 'name' => 'a.example.com', 'uri' => '192.0.2.1' }] },
        serve: true
      }
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/kick/controller.yaml').with_content(/^domain: example.com\npuppetdb: false$/) }
    it { is_expected.to contain_file('/etc/kick/inventory.yaml').with_content(/\n  uri: "192.0.2.1"\n\z/) }

    it {
      is_expected.to contain_service('kick-serve')
        .with(ensure: true, enable: true).that_subscribes_to('File[/etc/kick/controller.yaml]')
    }
  end

  context 'beside an agent, from an archive' do
    let(:pre_condition) do
      "class { 'kick': install_method => 'archive', archive_source => '/srv/kick.tar.gz' } include kick::agent"
    end
    let(:params) { { serve: true } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/systemd/system/kick-serve.service').that_notifies('Service[kick-serve]') }
    it { is_expected.to contain_user('kick').with_system(true) }

    it 'may pass through the folder of the agent' do
      is_expected.to contain_file('/etc/systemd/system/kick-agent.service.d/controller.conf')
        .that_notifies('Exec[restart kick-agent]').that_comes_before('Service[kick-serve]')
      is_expected.to contain_file('/var/lib/kick').with_mode('0711')
        .that_requires('Exec[restart kick-agent]').that_comes_before('Service[kick-serve]')
    end
  end

  context 'without an agent, from an archive' do
    let(:pre_condition) { "class { 'kick': install_method => 'archive', archive_source => '/srv/kick.tar.gz' }" }
    let(:params) { { serve: true } }

    it { is_expected.to compile.with_all_deps }
  end

  context 'beside an agent' do
    let(:pre_condition) { "class { 'kick::agent': package_name => 'site-kick-agent' }" }
    let(:params) { { serve: true } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('kick').that_requires('Package[site-kick-agent]') }
    it { is_expected.to contain_file('/etc/systemd/system/kick-serve.service').with_ensure('absent') }
  end

  context 'beside an agent, both from the Puppet server' do
    let(:pre_condition) { "class { 'kick::agent': package_source => 'puppet:///modules/profile/a.deb' }" }
    let(:params) { { package_source: '/srv/kick.deb', package_ensure: 'installed' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('kick').with(ensure: 'installed', source: '/var/cache/kick/kick.deb') }
  end

  {
    'an unknown key' => [{ 'concurrencies' => 3 }, /unrecognized key 'concurrencies'/],
    'a role that is none' => [{ 'web' => { 'certificates' => [{ 'name' => 'a', 'role' => 'root' }] } }, /'role'/],
    'PuppetDB as true' => [{ 'puppetdb' => true }, /'puppetdb'/]
  }.each do |what, (config, message)|
    context "with #{what}" do
      let(:params) { { config: config } }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end
end
