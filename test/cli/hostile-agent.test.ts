/** Promise A2: whatever an agent says, in whatever field, acts on no terminal, no log and no metrics; and nothing of it is lost. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AGENT_OUTCOMES } from '../../src/protocol/outcome.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { KICK } from '../../tools/program.ts';
import { hostileAgents, serveHostile } from '../support/hostile-agents.ts';
import { HOSTILE, hostileIn } from '../support/hostile-text.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

const CONTROLLER = 'puppet.example.com';

/** A controller whose hosts are all hostile. */
async function hostileSite(isWanted = (_certname: string) => true) {
  const folder = tempFolder();
  const ca = mintCa();
  const agents = hostileAgents().filter(({ certname }) => isWanted(certname));
  const port = await serveHostile(ca, agents);
  const [etc, pki, log] = [join(folder, 'etc'), join(folder, 'pki'), join(folder, 'log')];
  mkdirSync(etc);
  ca.write(pki, ca.issue(CONTROLLER));
  const targets = agents.map(({ certname }) => ({ name: certname, uri: `127.0.0.1:${port}` }));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
  const metrics = join(folder, 'kick.prom');
  const logger = ['/bin/sh', '-c', `cat >>'${log}'`];
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ metrics_file: metrics, syslog: logger }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: pki },
    ...{ KICK_CERTNAME: CONTROLLER, NO_COLOR: '1' },
  };
  return { agents, env, log, metrics };
}

type Site = Awaited<ReturnType<typeof hostileSite>>;

/** The bytes of a command's stdout and stderr. */
function outputOf({ env }: Site, [program = '', ...args]: readonly string[]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.once('error', reject);
    child.once('close', () => resolve([Buffer.concat(out), Buffer.concat(err)]));
  });
}

async function outputHere({ env }: Site, words: readonly string[]): Promise<Buffer[]> {
  const { out, err } = await kickHere(words, { env });
  return [Buffer.from(out), Buffer.from(err)];
}

const FORMATS = ['human', 'json', 'jsonl'];
const RUN = ['run', '--all', '--lost-after', '1s', '--reason', 'why'];

/** One command a row; those that read jobs come after those that make them. */
const COMMANDS: readonly (readonly string[])[] = [
  ...['status', 'doctor'].flatMap((name) => FORMATS.map((format) => [name, '--all', '--format', format])),
  ['status', '--all', '--overdue'],
  ['count', '--all'],
  ['summary', '--all'],
  ['summary', '--all', '--format', 'json'],
  ['ping', '--all'],
  ['ping', '--all', '--format', 'json'],
  ['nodes', '--all', '--class', 'x', '--explain'],
  ['nodes', '--all', '--class', 'x', '--format', 'json'],
  ...FORMATS.map((format) => ['disable', '--all', '--reason', 'why', '--format', format]),
  ['enable', '--all', '--force'],
  ['cancel', '--all'],
  [...RUN, '--format', 'json'],
  [...RUN, '--format', 'jsonl'],
  [...RUN, '--quiet'],
  [...RUN, '--verbose', '--lock', 'nightly'],
  ['jobs'],
  ['jobs', '--format', 'json'],
  ['jobs', 'show', 'last'],
  ['jobs', 'show', 'last', '--format', 'json'],
  ['jobs', 'show', 'last', '--host', 'all0.example.com'],
  ['jobs', 'show', 'last', '--host', 'all0.example.com', '--format', 'json'],
  ['jobs', 'watch', 'last', '--verbose'],
  ['jobs', 'watch', 'last', '--format', 'jsonl'],
  ['rerun', 'last', '--dry-run'],
  ['rerun', 'last', '--dry-run', '--format', 'json'],
];

interface Row {
  certname: string;
  outcome?: string;
  error?: string;
}

test('no control, no bidi mark and no line separator of an agent leaves as it is, whatever is asked', async () => {
  const site = await hostileSite();
  const said = new Map<string, string>();
  for (const words of COMMANDS) {
    // A process ends when the logger that it has started ends.
    const isProcess = words[0] === 'run';
    const outputs = await (isProcess ? outputOf(site, [...KICK, ...words]) : outputHere(site, words));
    for (const output of outputs) expect(hostileIn(output), words.join(' ')).toEqual([]);
    said.set(words.join(' '), String(outputs[0]));
  }
  // It was taken for what an agent says: as data, nothing of it is missing.
  const documentOf = (words: readonly string[]): unknown => JSON.parse(said.get(words.join(' ')) ?? '');
  const states = documentOf(['status', '--all', '--format', 'json']) as (Row & { version?: string })[];
  const versions = states.map(({ version }) => version);
  for (const text of HOSTILE) expect(versions).toContain(text);
  const { hosts } = documentOf([...RUN, '--format', 'json']) as { hosts: Row[] };
  const outcomes = new Map(hosts.map(({ certname, outcome }) => [certname, outcome]));
  for (const outcome of AGENT_OUTCOMES) expect(outcomes.get(`${outcome}.example.com`)).toBe(outcome);
  const all = [...said.values()].join('');
  for (const sign of ['\\x1b[2J', '\\x9b31m', '\\u{202e}', '\\u2028', '\\u009b', '\\ud800', '\\u{d800}'])
    expect(all).toContain(sign);
  for (const line of said.get('jobs watch last --format jsonl')?.trimEnd().split('\n') ?? [])
    expect(() => JSON.parse(line)).not.toThrow();
  const log = readFileSync(site.log);
  expect(hostileIn(log)).toEqual([]);
  expect(String(log)).toContain('\\u009b');
  expect(hostileIn(readFileSync(site.metrics))).toEqual([]);
});

const hasScript = existsSync('/usr/bin/script');

/** What kick itself writes to a terminal: to move the cursor, to erase, to colour, to end a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
const OURS = /\r\n|\r?\x1b\[\d*[AJK]|\x1b\[(?:0|2|3[1-6])m/g;

const ON_TERMINAL = [
  [...RUN, '--verbose'],
  ['doctor', '--all'],
  ['status', '--all'],
];

test.skipIf(!hasScript)('on a terminal with colours kick moves the cursor, and nobody else', async () => {
  const site = await hostileSite((name) => name.startsWith('all'));
  const env = { ...site.env, NO_COLOR: '', TERM: 'xterm' };
  for (const words of ON_TERMINAL) {
    const line = [...KICK, ...words].map((word) => `'${word}'`).join(' ');
    const [out] = await outputOf({ ...site, env }, [
      ...['/usr/bin/script', '--quiet', '--return', '--command'],
      ...[`stty cols 100 rows 40; ${line}`, '/dev/null'],
    ]);
    const text = String(out);
    expect(text).toContain('evil0');
    if (words[0] === 'run') expect(text).toContain('\u001b[3');
    expect(hostileIn(text.replaceAll(OURS, '')), words.join(' ')).toEqual([]);
  }
});
