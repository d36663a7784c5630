/**
 * `kick agent` in this process: from its configuration to its listener, without the handlers of signals. For tests in which
 * no agent dies: a process of its own costs half a second of a processor to start.
 */
import { readConfig } from '../../src/cli/agent/agent-settings.ts';
import { listen, openBroker } from '../../src/cli/agent/network-entrance.ts';
import { openMain } from '../../src/cli/agent/open-main.ts';
import { ownPaths } from '../../src/config/identity.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { silentLog } from '../../src/util/log.ts';
import { afterwards } from './afterwards.ts';

export interface AgentHereFolders {
  /** Holds agent.yaml. */
  configDir: string;
  stateDir: string;
  runDir: string;
  pkiDir: string;
  certname: string;
}

/** Returns its port on 127.0.0.1, 0 if it listens on none; connected to its broker, and stopped when the test has finished, while its runs go on. */
export async function startAgentHere(folders: AgentHereFolders): Promise<number> {
  const options = {
    ...{ ...folders, pkiDirNamed: true, path: process.env['PATH'] ?? '' },
    ...{ port: 0, bind: '127.0.0.1' },
  };
  const config = await readConfig(options);
  const main = await openMain(options, config, { log: silentLog });
  const paths = ownPaths(folders.pkiDir, folders.certname);
  const identity = await loadIdentity(paths, { now: Date.now() });
  main.use(identity, paths);
  const listener = await listen(main, identity);
  const broker = await openBroker(main, identity, listener);
  await broker?.link.ready({ withinMs: 600_000, signal: new AbortController().signal });
  afterwards(async () => {
    await main.agent.stop();
    await listener.close();
    await broker?.close();
  });
  return listener.port;
}
