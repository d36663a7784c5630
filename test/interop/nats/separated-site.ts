/** An agent in two processes (DESIGN 14) whose listener has a broker, and a controller that reaches it there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Hellos } from '../../../src/transport/nats/hellos.ts';
import type { AgentProcess, StartOptions } from '../../../tools/agent-process.ts';
import { PROGRAM } from '../../../tools/program.ts';
import { afterwards } from '../../support/afterwards.ts';
import { kickHere } from '../../support/kick-here.ts';
import { type NatsServer, startNats } from '../../support/nats-server.ts';
import { NAME } from '../../support/real-agent.ts';
import {
  helperAsUnit,
  listenerAsUnit,
  type SeparatedAgent,
  separatedAgent,
} from '../../support/separated-agent.ts';
import { tempFolder } from '../../support/temp.ts';
import { connectTo, soon } from './way.ts';

export interface SeparatedSite extends SeparatedAgent {
  readonly folder: string;
  readonly server: NatsServer;
  /** Runs a command of the controller's, which reaches the host through the broker, to its end. */
  kick(...words: string[]): ReturnType<typeof kickHere>;
  /** The controller's own connection to the broker. */
  connect(): ReturnType<typeof connectTo>;
}

/** Both halves are started as by their units. `config`: of agent.yaml. It has no port unless `listen` says so. Nothing runs yet but the broker. */
export async function separatedSite(config: object): Promise<SeparatedSite> {
  const folder = tempFolder();
  const agent = await separatedAgent(folder, config, [PROGRAM]);
  const { ca, controller } = agent;
  const server = await startNats({ ca, agents: [NAME], controllers: [controller.certname] });
  const nats = { servers: [server.address] };
  agent.configure({ kill_grace: '1s', listen: false, nats, ...config });
  const [etc, pki] = [join(folder, 'controller-etc'), join(folder, 'pki')];
  mkdirSync(etc);
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ nats }));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: [{ name: NAME, via: 'nats' }] }));
  ca.write(pki, ca.issue(controller.certname));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'controller'), KICK_PKI_DIR: pki },
    KICK_CERTNAME: controller.certname,
  };
  afterwards(() => agent.sender.close());
  return {
    ...{ ...agent, folder, server },
    startHelper: () => agent.startHelper(helperAsUnit),
    startListener: (_by, options) => agent.startListener(listenerAsUnit, options),
    kick: (...words) => kickHere(words, { env }),
    connect: () => connectTo(server.address, controller),
  };
}

/** The listener, once it has said at the broker that it is here. */
export async function listenerAtBroker(
  site: SeparatedSite,
  options?: Pick<StartOptions, 'onLine'>,
): Promise<AgentProcess> {
  const { link } = site.connect();
  await soon(link);
  let isHere = false;
  const end = new Hellos(link).on(NAME, () => {
    isHere = true;
  });
  const listener = await site.startListener(undefined, options);
  await expect.poll(() => isHere).toBe(true);
  end();
  return listener;
}
