/** The demo of the page: forty simulated hosts, `kick serve`, and accounts; nothing on this machine is touched. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../api-client.ts';
import { addressOf, DEFAULTS } from '../fleet/plan.ts';
import { parseOutcomes, parseTimes } from '../fleet/shape.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { freePort } from '../loopback.ts';
import { addAccount, startServe } from '../serve-process.ts';
import { DEMO_HOSTS, inventoryOf } from './hosts.ts';

export interface DemoSite {
  readonly url: string;
  /** Of every account: alice may everything, bob may run on @web, carol may look. */
  readonly password: string;
  /** The file of the CA that signed the server's certificate. */
  readonly ca: string;
  /** The arguments with which `kick` finds the same site. */
  readonly kickArgs: readonly string[];
  signIn(name: string): Promise<Client>;
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** 0: any that is free. */
  port: number;
  /** How long runs take. */
  time?: string;
}

const ACCOUNTS: Readonly<Record<string, readonly string[]>> = {
  alice: ['--role', 'admin'],
  bob: ['--role', 'operator', '--hosts', '@web'],
  carol: ['--role', 'viewer'],
};

export async function startDemoSite({ port, time = '~4s' }: DemoOptions): Promise<DemoSite> {
  const fleet = await startFleet({
    ...DEFAULTS,
    hosts: DEMO_HOSTS.length,
    names: DEMO_HOSTS.map(({ name }) => name),
    port: await freePort(addressOf(0)),
    processes: 1,
    shape: {
      ...DEFAULTS.shape,
      times: parseTimes(time),
      outcomes: parseOutcomes('unchanged=60,changed=34,failed=6'),
      isTold: true,
    },
    faults: [
      { fault: 'refuse', count: 1 },
      { fault: 'slow', count: 1 },
    ],
  });
  const stopping: (() => Promise<unknown>)[] = [() => fleet.stop()];
  const stop = async () => {
    for (const one of stopping.splice(0).reverse()) await one();
  };
  try {
    writeFileSync(join(fleet.folder, 'etc', 'inventory.yaml'), inventoryOf(fleet.addressOf));
    const kickArgs = fleet.kickArgs();
    const password = randomBytes(9).toString('base64url');
    for (const [name, options] of Object.entries(ACCOUNTS)) {
      addAccount({ name, password }, { kickArgs, options });
    }
    const { process: server, caPath: ca, signIn } = await startServe(kickArgs, { port });
    stopping.push(() => server.kill());
    return {
      ...{ url: `https://localhost:${server.port}/`, password, ca, kickArgs, stop },
      signIn: (name) => signIn({ name, password }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
