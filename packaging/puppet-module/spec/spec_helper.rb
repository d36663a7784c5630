# frozen_string_literal: true

require 'rspec-puppet'
require 'tmpdir'

# The module under its name, as Puppet wants it.
modules = Dir.mktmpdir('kick-modules-')
at_exit { FileUtils.remove_entry(modules) }
File.symlink(File.dirname(__dir__), File.join(modules, 'kick'))

RSpec.configure do |config|
  config.module_path = modules
  config.setup_fixtures = false
  config.strict_variables = true
end

# What Hiera says of the package of each OS family.
def on_families
  { 'Debian' => %w[dpkg deb], 'RedHat' => %w[rpm rpm], 'Suse' => %w[rpm rpm] }
end

def facts_of(family)
  { os: { 'family' => family, 'name' => family, 'release' => { 'major' => '12' } } }
end
