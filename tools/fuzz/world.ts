/** What the inputs of a fuzzer meet: certificates, a remembered job, a server that is no agent, and no name server. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { runCommandLine } from '../../src/cli/program.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import { freePort, listenOn } from '../loopback.ts';
import { mintCa } from '../mint/mint-ca.ts';
import { silentTerminal } from '../silent-terminal.ts';
import { throwawayFolder } from '../throwaway-folder.ts';
import { valueFlags } from './command-lines.ts';
import { makeOddPlaces, type Shared } from './place.ts';

export interface World extends Shared {
  close(): void;
}

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: text/\u009b2J\r\ncontent-length: 2\r\n\r\n{}';

/** Changes the process: its working directory, and that no name is found. Call `close` at the end. */
export async function openWorld(): Promise<World> {
  const { path: base, remove } = throwawayFolder({ prefix: 'kick-fuzz-' });
  makeOddPlaces(base);
  const [pki, state, cwd] = [join(base, 'pki'), join(base, 'state'), join(base, 'cwd')];
  for (const path of [pki, state, cwd]) mkdirSync(path);
  const ca = mintCa();
  ca.write(pki, ca.issue('puppet.example.com'));
  const server = createServer(tlsOptions(ca.agent('hostile.example.com')), (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(ANSWER, 'latin1'));
  });
  server.on('tlsClientError', () => {});
  const hostile = `127.0.0.1:${await listenOn(server)}`;
  const closed = `127.0.0.1:${await freePort()}`;
  const restoreNames = forgetNames();
  const before = process.cwd();
  process.chdir(cwd);
  const world = { base, pki, state, closed, hostile, valueFlags: await valueFlags() };
  await rememberJob(world);
  return {
    ...world,
    close() {
      server.close();
      restoreNames();
      process.chdir(before);
      remove();
    },
  };
}

/** Every name is unknown at once, whatever the machine's name server thinks. Returns what restores it. */
function forgetNames(): () => void {
  const dns = createRequire(import.meta.url)('node:dns') as { lookup: unknown };
  const { lookup } = dns;
  dns.lookup = (name: string, ...rest: unknown[]) => {
    // Its options may be left out.
    const done = rest.at(-1) as (error: Error) => void;
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    setImmediate(() => done(error));
  };
  return () => {
    dns.lookup = lookup;
  };
}

/** A job whose hosts were unreachable. */
async function rememberJob({ base, pki, state }: Shared): Promise<void> {
  const env = {
    ...{ KICK_CONFIG_DIR: join(base, 'none'), KICK_STATE_DIR: state, KICK_PKI_DIR: pki, PATH: '/nowhere' },
    KICK_CERTNAME: 'puppet.example.com',
  };
  const words = ['run', 'web1', 'db', '--reason', 'why', '--lock', 'nightly'];
  await runCommandLine(words, { terminal: silentTerminal, env, exit() {} });
}
