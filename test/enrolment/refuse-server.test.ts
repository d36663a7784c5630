/** What is said of a server that is not the one that was meant: nothing that nobody should type. */
import { expect, test } from 'vitest';
import { refuseServer } from '../../src/enrolment/refuse-server.ts';
import { DEFAULT_PORT } from '../../src/enrolment/wire.ts';
import { KickError } from '../../src/errors.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';

const server = { host: 'deploy.example.com', port: DEFAULT_PORT };

function hintFor(name: string): string | undefined {
  const [leaf] = mintCa().agent('web1.example.com', { commonNames: [name] }).chain;
  const error = refuseServer(server, leaf?.toLegacyObject() ?? expect.fail(), undefined);
  expect(error).toBeInstanceOf(Error);
  return error instanceof KickError ? error.hint : undefined;
}

test.each(['web1; reboot', '$(reboot)', 'Web "1"', '--force'])(
  'a name that --server does not take (%s) is no hint',
  (name) => {
    expect(hintFor(name)).toBeUndefined();
  },
);

test('the name of a host is one', () => {
  expect(hintFor('web1.example.com')).toContain('--server web1.example.com,');
});
