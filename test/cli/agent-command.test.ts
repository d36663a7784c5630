/** The command line of `kick agent`, read by Node's parser where it is plain and by commander where it is not. */
import { expect, test } from 'vitest';
import { agentOptionsFrom, plainOptions } from '../../src/cli/agent/agent-command.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const ENV = { PATH: '/bin', KICK_STATE_DIR: '/srv/kick' };

/** Those with a value; a switch is left to commander. */
async function flagsOfHelp(): Promise<string[]> {
  const context = { terminal: openTerminal({ noColor: true }), env: ENV, exit: () => {} };
  const program = await makeProgram(context, ['agent']);
  const agent = program.commands.find((command) => command.name() === 'agent');
  return (agent?.options ?? []).flatMap(({ long, required }) => (required ? [long ?? ''] : []));
}

test('both know the same options', async () => {
  const flags = await flagsOfHelp();
  expect(flags).toContain('--port');
  expect(flags).toContain('--state-dir');
  const given = plainOptions(flags.flatMap((flag) => [flag, '8141'])) ?? {};
  expect(Object.values(given)).toEqual(flags.map(() => '8141'));
});

test('a flag wins over the environment, that over the default', () => {
  const options = agentOptionsFrom(plainOptions(['--port', '0', '--run-dir=/r', '--bind', '::1']) ?? {}, ENV);
  expect(options).toMatchObject({
    ...{ port: 0, bind: '::1', runDir: '/r', stateDir: '/srv/kick', configDir: '/etc/kick', path: '/bin' },
    pkiDirNamed: false,
  });
});

test.each([
  [['--help']],
  [['--prot', '1']],
  [['web1']],
  [['--port']],
  [['--port', '--bind']],
  [['--no-color']],
])('%j is left to commander', (words) => {
  expect(plainOptions(words)).toBeUndefined();
});

test.each([
  [['--port', '65536'], /--port: "65536" is not a port/],
  [['--port', ''], /--port: "" is not a port/],
  [['--state-dir', ''], /--state-dir <dir>: it is empty/],
])('%j is refused', (words, message) => {
  expect(() => agentOptionsFrom(plainOptions(words) ?? {}, ENV)).toThrow(message);
});

test.each([
  [['--pass-to', '/run/a', '--take-from', '/run/a'], 'two processes'],
  [['--pass-to', ''], 'not the path of a socket'],
  [['--take-from', `/${'a'.repeat(107)}`], 'not the path of a socket'],
])('%j is an error of usage', (words, why) => {
  expect(() => agentOptionsFrom(plainOptions(words) ?? {}, ENV)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(why) }),
  );
});
