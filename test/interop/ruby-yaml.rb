# What Ruby's own YAML makes of scalars, and of texts in a report. One JSON document in, one out.
require 'date'
require 'json'
require 'yaml'

module Puppet
  module Transaction
    class Report
      def initialize(values)
        values.each { |name, value| instance_variable_set("@#{name}", value) }
      end
    end
  end
end

SCANNER = Psych::ScalarScanner.new(Psych::ClassLoader.new)

def meaning(text)
  value = SCANNER.tokenize(text)
  case value
  when String, Symbol, Date then ['text', value.to_s]
  when Integer then ['integer', value.to_s]
  when Float then ['float', value.to_s]
  when Time then ['time', (value.to_r * 1000).floor]
  else ['word', value]
  end
rescue ArgumentError
  nil # Psych itself cannot read it
end

def event(text, value)
  { 'audited' => false, 'property' => 'content', 'previous_value' => value, 'desired_value' => [text],
    'message' => text, 'name' => 'content_changed', 'status' => 'failure', 'redacted' => nil,
    'corrective_change' => false }
end

def resource(text, value)
  { 'title' => text, 'file' => text, 'line' => 7, 'resource' => "File[#{text}]", 'tags' => %w[a b],
    'failed' => true, 'changed' => false, 'out_of_sync' => true,
    'events' => [event(text, value), event(text, value)], 'corrective_change' => true }
end

def report(text, value)
  statuses = { "File[#{text}]" => resource(text, value), 'File[/after]' => resource('after', 1) }
  Puppet::Transaction::Report.new(
    'host' => 'a', 'configuration_version' => text, 'status' => 'changed', 'transaction_completed' => true,
    'environment' => text, 'logs' => [{ 'message' => text, 'tags' => [] }], 'resource_statuses' => statuses,
    'corrective_change' => false, 'server_used' => value, 'code_id' => text, 'job_id' => 'run'
  ).to_yaml
end

input = JSON.parse($stdin.read)
puts({
  'scalars' => input['scalars'].map { |text| meaning(text) },
  'reports' => input['texts'].map { |text| report(text, text) },
  'values' => input['values'].map { |value| [report('x', value), value.is_a?(Float) ? value.to_s : nil] }
}.to_json)
