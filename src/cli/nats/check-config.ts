/** `kick nats config --check`: what the running servers lack, found out by trying. */

import { join } from 'node:path';
import type { Command } from 'commander';
import { AgentConfigSchema } from '../../config/agent-config.ts';
import { readControllerConfig } from '../../config/controller-files.ts';
import { loadOwnIdentity } from '../../config/identity.ts';
import { NATS_EXAMPLE, type NatsConfig } from '../../config/nats-config.ts';
import { readYamlFile } from '../../config/yaml-file.ts';
import { KickError } from '../../errors.ts';
import { type BrokerRole, type Finding, probeServer } from '../../transport/nats/probe-server.ts';
import { safeJson, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { foldersOf } from '../options/folders.ts';
import { print } from '../print.ts';

const TIMEOUT_MS = 5000;

/** What was found at one server. */
interface Checked {
  server: string;
  role: BrokerRole;
  checks: Finding[];
}

/** Resolves to the exit status: 1 if a server lacks anything. */
export async function checkConfig(
  { format }: { format: 'human' | 'json' },
  command: Command,
  context: CommandContext,
): Promise<number> {
  const { terminal, env } = context;
  const folders = foldersOf(command, env);
  const parties = await partiesIn(folders.configDir);
  const identity = await loadOwnIdentity(folders, env['PATH'] ?? '');
  const all: Checked[] = [];
  for (const { role, nats } of parties) {
    for (const server of nats.servers) {
      const checks = await probeServer({ server, tls: nats.tls, identity, role, timeoutMs: TIMEOUT_MS });
      const checked = { server, role, checks };
      all.push(checked);
      if (format === 'human') print(terminal, textOf(checked, identity.certname));
    }
  }
  if (format === 'json') terminal.out(`${safeJson(all, 2)}\n`);
  return all.every(({ checks }) => checks.every(({ ok }) => ok)) ? 0 : 1;
}

/** As which of the two this host uses brokers, by its files. Throws `KickError` `config`. */
async function partiesIn(configDir: string): Promise<{ role: BrokerRole; nats: NatsConfig }[]> {
  const { nats: ofController } = await readControllerConfig(configDir);
  const agent = await readYamlFile(join(configDir, 'agent.yaml'), AgentConfigSchema, {
    what: 'agent configuration',
  });
  const parties: { role: BrokerRole; nats: NatsConfig | undefined }[] = [
    { role: 'controller', nats: ofController },
    { role: 'agent', nats: agent?.nats },
  ];
  const found = parties.flatMap(({ role, nats }) => (nats === undefined ? [] : [{ role, nats }]));
  if (found.length > 0) return found;
  throw new KickError('config', 'check brokers: neither controller.yaml nor agent.yaml names any', {
    hint: NATS_EXAMPLE,
  });
}

function textOf({ server, role, checks }: Checked, certname: string): string {
  const lines = checks.map(({ ok, detail, hint }) => {
    const line = `  ${ok ? 'ok   ' : 'LACKS'}  ${detail}`;
    return hint === undefined ? line : `${line}\n         ${hint}`;
  });
  const text = [`${server}, as the ${role} ${certname}`, ...lines];
  return text.map((line) => `${line.split('\n').map(safeText).join('\n')}\n`).join('');
}
