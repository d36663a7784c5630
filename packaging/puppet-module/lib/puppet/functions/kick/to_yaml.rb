# frozen_string_literal: true

require 'yaml'

# @summary Writes a value as YAML that kick reads as the same value.
#
# Ruby writes YAML 1.1 and kick reads YAML 1.2: what is text in the one (`12e4`, `0o7`) may be a number in the other.
# So text stands in quotes unless it begins with a letter or a slash.
Puppet::Functions.create_function(:'kick::to_yaml') do
  # @param value What is to be written.
  # @return [String] A document.
  # @example A file of settings
  #   kick::to_yaml({ 'port' => 8139 })
  dispatch :to_yaml do
    param 'Data', :value
    return_type 'String'
  end

  def to_yaml(value)
    visitor = Psych::Visitors::YAMLTree.create
    visitor << value
    visitor.tree.grep(Psych::Nodes::Scalar).select(&:quoted).each do |text|
      text.style = Psych::Nodes::Scalar::DOUBLE_QUOTED unless text.value.match?(%r{\A[A-Za-z/]})
    end
    visitor.tree.yaml
  end
end
