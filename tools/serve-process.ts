/** `kick serve` as a process, with accounts and clients, for the demo of the page and the benchmarks. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, type Client, signedIn } from '../src/cli/demo/api-client.ts';
import { type AgentProcess, startAgentProcess } from './agent-process.ts';
import { FLEET_CONTROLLER } from './fleet/plan.ts';
import { KICK } from './program.ts';

export interface ServeProcess {
  readonly process: AgentProcess;
  /** The file of the CA that signed its certificate. */
  readonly caPath: string;
  signIn(account: Account): Promise<Client>;
}

/** `kickArgs`: the options by which `kick` finds the site of a fleet. `port` defaults to any that is free. */
export async function startServe(
  kickArgs: readonly string[],
  { port = 0, bind = '127.0.0.1' } = {},
): Promise<ServeProcess> {
  const words = ['serve', '--port', String(port), '--bind', bind, ...kickArgs];
  const started = await startAgentProcess([...KICK, ...words], { ready: 'serving', stderr: 'collect' });
  const caPath = join(argumentOf(kickArgs, '--pki-dir'), 'certs', 'ca.pem');
  const options = { port: started.port, ca: readFileSync(caPath), servername: FLEET_CONTROLLER };
  return { process: started, caPath, signIn: (account) => signedIn(options, account) };
}

/** Adds an account to such a site; `options`: those of `kick user add`. */
export function addAccount(
  { name, password }: Account,
  { kickArgs, options }: { kickArgs: readonly string[]; options: readonly string[] },
): void {
  const [node = '', ...program] = KICK;
  const state = ['--state-dir', argumentOf(kickArgs, '--state-dir')];
  const words = [...program, 'user', 'add', name, ...options, ...state];
  const { status, stderr } = spawnSync(node, words, { input: `${password}\n`, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const argumentOf = (words: readonly string[], option: string) => words[words.indexOf(option) + 1] ?? '';
