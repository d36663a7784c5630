/** A whole site that can be tortured: hosts, a broker, `kick serve` and what knows how to ask them all. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, signedIn } from '../../src/cli/demo/api-client.ts';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import type { Sender } from '../../src/transport/transport.ts';
import { sleep } from '../../src/util/clock.ts';
import { isInstalled } from '../installed.ts';
import { freePort } from '../loopback.ts';
import { type MintedCa, mintCa } from '../mint/mint-ca.ts';
import { type NatsServer, startNatsServer } from '../nats-server.ts';
import { KICK } from '../program.ts';
import { addAccount } from '../serve-process.ts';
import { type Host, makeHost } from './host.ts';
import { catalogs, makePuppetHost } from './puppet-host.ts';
import { type PuppetServer, startPuppetServer } from './puppet-server.ts';
import { Supervised } from './supervised.ts';

const CONTROLLER = 'puppet.example.com';
const PORT = 8139;
const ACCOUNT = { name: 'torture', password: 'correct horse battery' };
const START_MS = 60_000;
/** Milliseconds in which the server must answer, whatever was done to it. */
const ANSWER_MS = 90_000;
const SIGN_IN_AGAIN_MS = 2000;

export interface Site {
  readonly hosts: readonly Host[];
  readonly server: Supervised;
  /** Undefined where there is no nats-server. */
  readonly broker: NatsServer | undefined;
  /** Undefined where no host has a Puppet. */
  readonly puppetServer: PuppetServer | undefined;
  /** Asks agents at their ports. */
  readonly sender: Sender;
  readonly kickArgs: readonly string[];
  /** Of the controller. */
  readonly stateDir: string;
  /** Asks the server, again and again while it is being killed. Throws what it says in the end. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  ask(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<any>;
  /** The same without a body for what may be damaged: undefined if the server answers that it cannot tell. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  look(path: string): Promise<any>;
  end(): Promise<void>;
}

export interface SiteOptions {
  hosts: number;
  /** How many of them, the first ones, have a real Puppet. */
  puppets: number;
  random: Random;
}

/** Below `folder`, which the caller removes. */
export async function openSite(
  folder: string,
  { hosts: count, puppets, random }: SiteOptions,
): Promise<Site> {
  const [pkiDir, etc, stateDir] = ['pki', 'etc', 'controller'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const ca = mintCa();
  const names = Array.from({ length: count }, (_, index) => `web${index + 1}.example.com`);
  ca.write(pkiDir, ca.issue(CONTROLLER));
  for (const name of names) ca.write(pkiDir, ca.issue(name, { role: 'agent' }));
  const broker = isInstalled('nats-server')
    ? await startNatsServer({ folder: join(folder, 'nats'), ca, agents: names, controllers: [CONTROLLER] })
    : undefined;
  const servers = broker === undefined ? undefined : [broker.address];
  const puppetServer = puppets === 0 ? undefined : await puppetServerFor(folder, ca, random);
  const hosts = names.map((name, index) =>
    makeHost({
      ...{ name, pkiDir, folder: join(folder, name), port: PORT, address: `127.1.0.${index + 1}` },
      ...(servers !== undefined && { servers }),
      ...(puppetServer !== undefined &&
        index < puppets && { puppet: (where) => makePuppetHost({ ...where, ca, server: puppetServer }) }),
    }),
  );
  configureController(etc, { hosts, servers });
  const kickArgs = [
    ...['--config-dir', etc, '--state-dir', stateDir],
    ...['--pki-dir', pkiDir, '--certname', CONTROLLER],
  ];
  addAccount(ACCOUNT, { kickArgs, options: ['--role', 'admin'] });
  const port = await freePort();
  const words = ['serve', '--port', String(port), '--bind', '127.0.0.1', ...kickArgs];
  const server = new Supervised({
    ...{ what: 'kick serve', command: [...KICK, ...words], ready: 'serving', withinMs: START_MS },
    env: { PATH: process.env['PATH'] },
  });
  const identity: Identity = await ca.identity(CONTROLLER);
  const sender = httpsSender({ identity });
  await Promise.all([server.up(), ...hosts.map(({ agent }) => agent.up())]);
  const { ask, look } = askerOf(server, { port, ca: readFileSync(join(pkiDir, 'certs', 'ca.pem')) });
  await ask('schedules', { name: 'minutely', cron: '* * * * *', zone: 'UTC', choice: { hosts: names } });
  return {
    ...{ hosts, server, broker, puppetServer, sender, kickArgs, stateDir, ask, look },
    async end() {
      await Promise.all([server.end(), ...hosts.map(({ agent }) => agent.end())]);
      await broker?.kill('SIGKILL').catch(() => {});
      await sender.close();
      puppetServer?.end();
    },
  };
}

function configureController(
  etc: string,
  { hosts, servers }: { hosts: readonly Host[]; servers: readonly string[] | undefined },
): void {
  mkdirSync(etc);
  const nats = servers === undefined ? {} : { nats: { servers } };
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ puppetdb: false, ...nats }));
  const targets = hosts.map(targetOf(servers !== undefined));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
}

const puppetServerFor = (folder: string, ca: MintedCa, random: Random) =>
  startPuppetServer({
    ca,
    random,
    catalogOf: catalogs(join(folder, 'compiled'), (name) => join(folder, name)),
  });

/** A third by their port alone, a third through the broker, a third by whichever works. */
const targetOf = (hasBroker: boolean) => (host: Host, index: number) => ({
  name: host.name,
  uri: `${host.address}:${host.port}`,
  ...(hasBroker && { via: (['direct', 'nats', 'auto'] as const)[index % 3] }),
});

/** What a server says of a job of which it cannot read the files, or has them no more. */
const CANNOT_TELL = /^jobs\/\S+: (404|409|500|503) /;
/** Of a key of which the server has lost what it began. */
const KEY_LOST = /^jobs: 503 \{.*a file of the server cannot be used/;

export const isKeyLost = (error: unknown) => error instanceof Error && KEY_LOST.test(error.message);

function askerOf(server: Supervised, { port, ca }: { port: number; ca: Buffer }): Pick<Site, 'ask' | 'look'> {
  let client: Promise<Client> | undefined;
  /** The server allows so many attempts, and a session outlives it. */
  async function signIn(): Promise<Client> {
    client ??= signedIn({ port, ca, servername: CONTROLLER }, ACCOUNT);
    try {
      return await client;
    } catch (error) {
      client = undefined;
      if (/^session: /.test((error as Error).message)) await sleep(SIGN_IN_AGAIN_MS);
      throw error;
    }
  }
  async function ask(final: RegExp, ...question: Parameters<Client['ask']>): Promise<unknown> {
    const until = performance.now() + ANSWER_MS;
    for (;;) {
      try {
        await server.up();
        return await (await signIn()).ask(...question);
      } catch (error) {
        const { message } = error as Error;
        if (/: 401 /.test(message)) client = undefined;
        if (performance.now() > until || final.test(message)) throw error;
        await sleep(100);
      }
    }
  }
  return {
    ask: (...question) => ask(KEY_LOST, ...question),
    async look(path) {
      try {
        return await ask(CANNOT_TELL, path);
      } catch (error) {
        if (CANNOT_TELL.test((error as Error).message)) return undefined;
        throw error;
      }
    },
  };
}
