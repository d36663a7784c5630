/**
 * DESIGN 8, "Who may change them": `kick agent`, `kick doctor --local` and the controller's commands refuse what others own
 * or can write, with exit code 2 and what to type.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { agentCommand } from '../../tools/agent-process.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { kickNow } from '../support/kick.ts';
import { kickHere } from '../support/kick-here.ts';
import { giveAway, isRoot, OTHER } from '../support/other-user.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const AGENT = 'agent1.example.com';
const CONTROLLER = 'puppet.example.com';

const ca = mintCa();

interface Place {
  folder: string;
  etc: string;
  pki: string;
  state: string;
  run: string;
  agentYaml: string;
}

/** Folders of a host that is agent and controller. */
function place(): Place {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const [etc, pki, above] = [join(folder, 'etc'), join(folder, 'pki'), join(folder, 'var')];
  for (const path of [etc, above]) mkdirSync(path, { mode: 0o755 });
  ca.write(pki, ca.issue(CONTROLLER));
  ca.write(pki, ca.issue(AGENT, { role: 'agent' }));
  const agentYaml = join(etc, 'agent.yaml');
  writeFileSync(agentYaml, JSON.stringify({ runner: 'command', command: ['/bin/true'], port: 0 }));
  writeFileSync(join(etc, 'controller.yaml'), '{}');
  writeFileSync(join(etc, 'inventory.yaml'), 'targets: [web1.example.com]\n');
  return { folder, etc, pki, agentYaml, state: join(above, 'state'), run: join(above, 'run') };
}

const agentWords = ({ etc, pki, state, run }: Place) => [
  ...['--config-dir', etc, '--pki-dir', pki, '--certname', AGENT, '--state-dir', state, '--run-dir', run],
];

const controllerWords = ({ etc, pki, state }: Place) => [
  ...['--config-dir', etc, '--pki-dir', pki, '--certname', CONTROLLER, '--state-dir', state],
];

type Spoil = (here: Place) => string;

/** Spoils a place, and returns what to type. */
const writable = (pathOf: (here: Place) => string, mode: number, words: string): Spoil => {
  return (here) => {
    chmodSync(pathOf(here), mode);
    return `${words} ${pathOf(here)}`;
  };
};

const theirs = (pathOf: (here: Place) => string): Spoil => {
  return (here) => {
    giveAway(pathOf(here));
    return `chown root ${pathOf(here)}`;
  };
};

const keyOf =
  (name: string) =>
  ({ pki }: Place) =>
    join(pki, 'private_keys', `${name}.pem`);

const everybodys: [string, Spoil][] = [
  ['agent.yaml with mode 0666', writable(({ agentYaml }) => agentYaml, 0o666, 'chmod go-w')],
  ['the folder of agent.yaml', writable(({ etc }) => etc, 0o757, 'chmod o-w')],
  ['ca.pem', writable(({ pki }) => join(pki, 'certs', 'ca.pem'), 0o666, 'chmod go-w')],
  ['crl.pem', writable(({ pki }) => join(pki, 'crl.pem'), 0o602, 'chmod o-w')],
  ['the key', writable(keyOf(AGENT), 0o602, 'chmod o-w')],
  ['the folder above state and run', writable(({ state }) => dirname(state), 0o777, 'chmod go-w')],
];

const others: [string, Spoil][] = [
  ["somebody's agent.yaml", theirs(({ agentYaml }) => agentYaml)],
  [
    "a missing agent.yaml in somebody's folder",
    (here) => {
      rmSync(here.agentYaml);
      return theirs(({ etc }) => etc)(here);
    },
  ],
  ["somebody's folder of certificates", theirs(({ pki }) => pki)],
  ["somebody's key", theirs(keyOf(AGENT))],
  ["state below somebody's folder", theirs(({ state }) => dirname(state))],
  [
    'a run folder that somebody has made',
    (here) => {
      mkdirSync(here.run, { mode: 0o755 });
      return theirs(({ run }) => run)(here);
    },
  ],
];

test.each([...everybodys, ...(isRoot ? others : [])])(
  'kick agent does not start with %s, and doctor --local says what to type',
  async (_what, spoil) => {
    const here = place();
    const next = spoil(here);
    const started = kickNow(['agent', ...agentWords(here)]);
    expect(started.code).toBe(2);
    expect(started.err).toMatch(/^kick: .*(can be written by others|belongs to another user)/m);
    expect(started.err).toContain(`hint: ${next}`);
    const examined = await kickHere(['doctor', '--local', ...agentWords(here)]);
    expect(examined.code).toBe(1);
    expect(examined.out).toContain(`do: ${next}`);
  },
);

test('doctor --local says what others can change of what a run would execute, and what is left out of its PATH', async () => {
  const here = place();
  const program = join(here.folder, 'program');
  const bin = join(here.folder, 'bin');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  mkdirSync(bin, { mode: 0o755 });
  for (const path of [program, bin]) chmodSync(path, 0o757);
  const config = { runner: 'command', command: [program], run_environment: { PATH: `${bin}:/usr/bin:/bin` } };
  writeFileSync(here.agentYaml, JSON.stringify(config));
  const { code, out } = await kickHere(['doctor', '--local', ...agentWords(here)]);
  expect(code).toBe(1);
  expect(out).toMatch(
    new RegExp(`^problem {2}run the command "${program}": .*\n.*\n +do: chmod o-w ${program}$`, 'm'),
  );
  expect(out).toMatch(new RegExp(`^warning {2}keep "${bin}" in PATH: .*\n.*\n +do: chmod o-w ${bin}$`, 'm'));
});

test('an agent keeps its configuration when the new one can be written by others, and logs what to type', async () => {
  const here = place();
  const lines: string[] = [];
  const command = agentCommand({
    ...{ configDir: here.etc, pkiDir: here.pki, certname: AGENT },
    ...{ stateDir: here.state, runDir: here.run },
  });
  const agent = await startRealAgent(command, { onLine: (line) => lines.push(line) });
  chmodSync(here.agentYaml, 0o666);
  agent.process.kill('SIGHUP');
  await expect
    .poll(() => lines.filter((line) => line.includes('the old one stays')))
    .toEqual([expect.stringContaining(`; chmod go-w ${here.agentYaml}`)]);
  expect(agent.process.exitCode).toBe(null);
});

const NODES = ['nodes', '@all'];
const RUN = ['web1.example.com', '--connect-timeout', '1s'];

test.each<[string, string[], Spoil]>([
  ['controller.yaml', NODES, writable(({ etc }) => join(etc, 'controller.yaml'), 0o666, 'chmod go-w')],
  ['inventory.yaml', NODES, writable(({ etc }) => join(etc, 'inventory.yaml'), 0o646, 'chmod o-w')],
  ['the key', RUN, writable(keyOf(CONTROLLER), 0o622, 'chmod go-w')],
  ['the folder above the state', RUN, writable(({ state }) => dirname(state), 0o777, 'chmod go-w')],
  ['the folder above the state', ['jobs'], writable(({ state }) => dirname(state), 0o777, 'chmod go-w')],
  ['the folder of the CA', ['pki', 'list'], writable(({ pki }) => pki, 0o777, 'chmod go-w')],
  [
    'the folder of keys',
    ['pki', 'revoke', AGENT],
    writable(({ pki }) => join(pki, 'private_keys'), 0o777, 'chmod go-w'),
  ],
])(
  'a controller refuses %s that everybody can write (%j): exit 2, nothing sent',
  async (_what, words, spoil) => {
    const here = place();
    const next = spoil(here);
    const folders = words[0] === 'pki' ? ['--pki-dir', here.pki] : controllerWords(here);
    const { code, err, out } = await kickHere([...words, ...folders]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('can be written by others');
    expect(err).toContain(`hint: ${next}\n`);
  },
);

test("a group's program and a logger that everybody can write are not run", async () => {
  const here = place();
  const program = join(here.folder, 'program');
  const proof = join(here.folder, 'proof');
  writeFileSync(program, `#!/bin/sh\ntouch '${proof}'\necho web2.example.com\n`, { mode: 0o755 });
  const controllerYaml = (config: object) =>
    writeFileSync(join(here.etc, 'controller.yaml'), JSON.stringify(config));
  controllerYaml({ groups: { dmz: { command: [program] } }, syslog: [program] });
  const nodes = () => kickHere(['nodes', '@dmz', ...controllerWords(here)]);
  expect((await nodes()).out).toBe('web2.example.com\n');
  rmSync(proof);
  chmodSync(program, 0o757);
  const group = await nodes();
  expect(group.code).toBe(2);
  expect(group.err).toMatch(/look up the group "dmz" .* can be written by others\nhint: chmod o-w /);
  const logged = await kickHere([...RUN, ...controllerWords(here)]);
  expect(logged.code).toBe(2);
  expect(logged.err).toMatch(/log to ".*program": .* can be written by others\nhint: chmod o-w /);
  expect(() => rmSync(proof)).toThrow(/ENOENT/);
});

test.skipIf(!isRoot)('an ordinary user trusts root and their own files, and nobody else', () => {
  const here = place();
  const starter = ['setpriv', `--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups'];
  const nodes = () => kickNow([...NODES, ...controllerWords(here)], { starter, env: { HOME: '/' } });
  const inventory = join(here.etc, 'inventory.yaml');
  expect(nodes()).toMatchObject({ code: 0, out: 'web1.example.com\n' });
  giveAway(here.etc);
  giveAway(inventory);
  expect(nodes()).toMatchObject({ code: 0, out: 'web1.example.com\n' });
  giveAway(inventory, OTHER + 1);
  const refused = nodes();
  expect(refused.code).toBe(2);
  expect(refused.err).toContain(`hint: chown ${OTHER} ${inventory}\n`);
});
