/** What a real `kick serve` has stored: a job that is over, one that waits, an account, a session, a token, a schedule. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:https';
import { dirname, join, relative } from 'node:path';
import { type Client, signedIn } from '../../../src/cli/demo/api-client.ts';
import { sleep } from '../../../src/util/clock.ts';
import { withLineSum } from '../../../src/util/line-sum.ts';
import { storedText } from '../../../src/util/stored-json.ts';
import { uuidv7 } from '../../../src/util/uuid.ts';
import { type AgentProcess, agentCommand, startAgentProcess } from '../../agent-process.ts';
import { freePort } from '../../loopback.ts';
import { mintCa } from '../../mint/mint-ca.ts';
import { KICK } from '../../program.ts';
import { addAccount } from '../../serve-process.ts';
import { filesBelow } from '../host.ts';
import { startInTime } from './start.ts';

const CONTROLLER = 'puppet.example.com';
const ACCOUNT = { name: 'torture', password: 'correct horse battery' };

/** What runs on the hosts end with; nobody listens on the last one. */
export const TRUTH: Readonly<Record<string, string>> = {
  'web1.example.com': 'changed',
  'web2.example.com': 'unchanged',
  'web3.example.com': 'unreachable',
};
const EXITS = [2, 0];

export interface ServerPlace {
  /** The controller's state directory. */
  readonly folder: string;
  /** Names below it of files that are not of a job. */
  readonly singles: readonly string[];
  /** Names of the files of a job. */
  readonly jobFiles: readonly string[];
  start(): Promise<AgentProcess>;
  signIn(): Promise<Client>;
  /** The state directory again as it was when the model was made, without its jobs. */
  renew(): void;
  /** Copies the job, and returns the copy's id and its lines of the index. */
  copyJob(): { id: string; lines: string };
  /** Copies the marker of the job that waits, and returns the copy's id and its path. */
  copyWaiting(): { id: string; path: string };
  /** Puts a single file right. */
  mend(name: string): void;
  end(): Promise<void>;
}

/** That of every job: whatever is left of it keeps no job waiting. */
export const LOCK = 'nightly';

/** The index is made from the jobs' lines. */
export const INDEX = join('jobs', 'index.jsonl');

export async function openServerPlace(base: string): Promise<ServerPlace> {
  const [folder, whole, etc, pki] = ['place', 'model', 'etc', 'pki'].map((name) => join(base, name)) as [
    string,
    string,
    string,
    string,
  ];
  mkdirSync(etc, { recursive: true });
  const names = Object.keys(TRUTH);
  const agents = await startAgents(base, { names, pki });
  await writeSite(base, { etc, names, agents });
  const kickArgs = ['--config-dir', etc, '--state-dir', folder, '--pki-dir', pki, '--certname', CONTROLLER];
  addAccount(ACCOUNT, { kickArgs, options: ['--role', 'admin'] });
  const port = await freePort();
  const command = [...KICK, 'serve', '--port', String(port), '--bind', '127.0.0.1', ...kickArgs];
  const start = () => startInTime(command, { what: 'kick serve', ready: 'serving' });
  // Connections are used again, as browsers do.
  const connections = new Agent({ keepAlive: true, maxSockets: 8 });
  const tls = { port, ca: readFileSync(join(pki, 'certs', 'ca.pem')), servername: CONTROLLER };
  const signIn = () => signedIn({ ...tls, agent: connections }, ACCOUNT);
  const id = await makeModel(await start(), { signIn, names, folder });
  cpSync(folder, whole, { recursive: true, preserveTimestamps: true });
  const waiting = await makeWaiting(await start(), { signIn, names, folder });
  const files = filesBelow(whole).map((path) => relative(whole, path));
  const ofJob = join('jobs', id, '.').slice(0, -1);
  const isSingle = (name: string) => name !== INDEX && !name.startsWith(ofJob);
  const lines = readFileSync(join(whole, INDEX), 'utf8');
  return {
    ...{ folder, start, signIn },
    singles: files.filter(isSingle),
    jobFiles: readdirSync(join(whole, 'jobs', id)),
    renew() {
      rmSync(folder, { recursive: true, force: true });
      cpSync(whole, folder, { recursive: true });
      rmSync(join(folder, 'jobs', id), { recursive: true });
      rmSync(join(folder, INDEX));
    },
    copyJob() {
      const copy = uuidv7(Date.now());
      const to = join(folder, 'jobs', copy);
      mkdirSync(to, { mode: 0o700 });
      for (const name of readdirSync(join(whole, 'jobs', id))) {
        copyRenamed(join(whole, 'jobs', id, name), join(to, name), { id, copy });
      }
      return { id: copy, lines: renamed(lines, id, copy) };
    },
    copyWaiting() {
      const copy = uuidv7(Date.now());
      const path = markerOf(folder, copy);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, renamed(waiting.text, waiting.job, copy), { mode: 0o600 });
      return { id: copy, path };
    },
    mend: (name) => cpSync(join(whole, name), join(folder, name)),
    async end() {
      await Promise.all(agents.map((agent) => agent.kill('SIGKILL')));
    },
  };
}

/** With its times: a lease that was given up has the time 0. */
function copyRenamed(from: string, to: string, { id, copy }: { id: string; copy: string }): void {
  writeFileSync(to, renamed(readFileSync(from, 'utf8'), id, copy), { mode: 0o600 });
  const { atime, mtime } = statSync(from);
  utimesSync(to, atime, mtime);
}

/** Of all hosts but the last. */
async function startAgents(
  base: string,
  { names, pki }: { names: readonly string[]; pki: string },
): Promise<AgentProcess[]> {
  const ca = mintCa();
  ca.write(pki, ca.issue(CONTROLLER));
  const agents: AgentProcess[] = [];
  for (const [index, exit] of EXITS.entries()) {
    const certname = names[index] ?? '';
    const configDir = join(base, certname);
    mkdirSync(configDir);
    ca.write(pki, ca.issue(certname, { role: 'agent' }));
    const command = ['/bin/sh', '-c', `exit ${exit}`];
    writeFileSync(join(configDir, 'agent.yaml'), JSON.stringify({ runner: 'command', command }));
    agents.push(await startAgentProcess(agentCommand({ configDir, pkiDir: pki, certname })));
  }
  return agents;
}

async function writeSite(
  base: string,
  { etc, names, agents }: { etc: string; names: readonly string[]; agents: readonly AgentProcess[] },
): Promise<void> {
  const nobody = await freePort();
  const targets = names.map((name, index) => ({ name, uri: `127.0.0.1:${agents[index]?.port ?? nobody}` }));
  const config = { puppetdb: false, metrics_file: join(base, 'kick.prom') };
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify(config));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
}

/** What has a checksum gets that of its new text. */
function renamed(text: string, from: string, to: string): string {
  if (!text.includes('\n')) return stored(text.replaceAll(from, to));
  return text
    .split('\n')
    .map((line) => {
      if (!line.includes(from)) return line;
      const { sum: _sum, ...value } = JSON.parse(line.replaceAll(from, to));
      return withLineSum(JSON.stringify(value));
    })
    .join('\n');
}

function stored(text: string): string {
  if (!text.includes('"sum":')) return text;
  const { sum: _sum, v: version, ...value } = JSON.parse(text);
  return storedText(value, { version });
}

async function makeModel(
  server: AgentProcess,
  { signIn, names, folder }: { signIn: () => Promise<Client>; names: readonly string[]; folder: string },
): Promise<string> {
  const { ask } = await signIn();
  const choice = { hosts: names };
  await ask('schedules', { name: 'yearly', cron: '0 3 1 1 *', zone: 'UTC', choice });
  await ask('tokens', { name: 'ci', role: 'viewer' });
  const { job } = await ask('jobs', { choice, lock: LOCK }, { 'Idempotency-Key': 'model' });
  while ((await ask(`jobs/${job}`)).state !== 'done' || existsSync(markerOf(folder, job))) await sleep(20);
  await server.kill();
  return job;
}

const markerOf = (folder: string, job: string) => join(folder, 'web', 'running', job);

/** A job that waits while the one before asks whether to go on, and the text of its marker. */
async function makeWaiting(
  server: AgentProcess,
  { signIn, names, folder }: { signIn: () => Promise<Client>; names: readonly string[]; folder: string },
): Promise<{ job: string; text: string }> {
  const { ask } = await signIn();
  const wish = { choice: { hosts: names }, lock: 'waited-for' };
  await ask('jobs', { ...wish, rollout: { canary: 1, confirm: true } }, { 'Idempotency-Key': 'holds' });
  const { job } = await ask('jobs', { ...wish, lockWait: 86_400 }, { 'Idempotency-Key': 'waits' });
  const text = readFileSync(markerOf(folder, job), 'utf8');
  await server.kill('SIGKILL');
  return { job, text };
}
