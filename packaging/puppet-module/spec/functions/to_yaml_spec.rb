# frozen_string_literal: true

require 'spec_helper'

describe 'kick::to_yaml' do
  it { is_expected.to run.with_params({}).and_return("--- {}\n") }
  it { is_expected.to run.with_params({ 'a' => [1, true, 'b', nil] }).and_return("---\na:\n- 1\n- true\n- b\n-\n") }

  it 'quotes what another YAML may take for something else' do
    is_expected.to run.with_params(['12e4', '0o7', 'yes', 'a: b', '/x']).and_return(
      %(---\n- "12e4"\n- "0o7"\n- 'yes'\n- 'a: b'\n- "/x"\n)
    )
  end
end
