/** `kick doctor --local`: checks everything that an agent on this host needs. */
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { doctorFacts } from '../../agent/doctor/facts.ts';
import { checkFolder, layoutOf } from '../../agent/layout.ts';
import type { Gate } from '../../agent/runners/runner.ts';
import { keeperOf } from '../../agent/runs/run-lock.ts';
import { intervalOf, whyOff } from '../../agent/schedule/pull.ts';
import { type AgentConfig, AgentConfigSchema } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { type Finding, problem, remark } from '../../controller/fleet/finding.ts';
import {
  disabledFindings,
  factFindings,
  obstacleFindings,
  pullOffFindings,
  runFindings,
} from '../../controller/fleet/findings.ts';
import type { Patient } from '../../controller/fleet/patient.ts';
import { KickError, messageOf } from '../../errors.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { systemClock } from '../../util/clock.ts';
import { exists } from '../../util/files.ts';
import { lockHolder } from '../../util/lock-file.ts';
import { silentLog } from '../../util/log.ts';
import { factsOptionsOf, makeRunner, pullOf } from './agent-parts.ts';
import { type AgentMainOptions, identityChoiceOf, readConfig } from './agent-settings.ts';
import { listensOn } from './port-holder.ts';
import { renewalTroubleNow } from './renewal.ts';
import { refusedByControllers } from './self-handshake.ts';

export async function localPatient(options: AgentMainOptions): Promise<Patient> {
  const now = systemClock.now();
  const findings: Finding[] = [];
  /** Turns a problem into a finding, so that the other checks go on. */
  const attempt = async <T>(next: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KickError)) throw error;
      findings.push(problem(messageOf(error), error.hint ?? next));
      return undefined;
    }
  };
  const path = join(options.configDir, 'agent.yaml');
  const read = await attempt(`fix ${path}`, () => readConfig(options));
  const config: AgentConfig = read ?? v.parse(AgentConfigSchema, {});
  findings.push(...controllerFindings(config, path));
  for (const folder of [options.stateDir, options.runDir]) {
    await attempt('kick agent makes its own folders', () => checkFolder(folder));
  }
  const paths = await attempt('kick agent waits for it', () =>
    identityPaths(identityChoiceOf(config, options)),
  );
  const identity = paths && (await attempt('kick agent waits for it', () => loadIdentity(paths, { now })));
  if (identity !== undefined) {
    await attempt(RENEW_NEXT, async () => {
      const why = await refusedByControllers(identity);
      if (why !== undefined) findings.push(problem(`controllers will refuse this host: ${why}`, RENEW_NEXT));
    });
  }
  const runner = await attempt(`fix ${path}`, async () => makeRunner(config, options, silentLog));
  await attempt(`fix ${path}`, async () => {
    if (runner === undefined) return;
    const pull = pullOf(config, runner);
    findings.push(...gateFindings(await runner.gate(now), now));
    const { runLock } = layoutOf(options.stateDir, options.runDir);
    findings.push(...runFindings(keeperOf(runLock, { runsPuppet: runner.name !== 'command' }), now));
    const off =
      pull === undefined ? undefined : whyOff(pull, await intervalOf(pull, () => runner.runinterval()));
    findings.push(...pullOffFindings(off));
  });
  const renewalError = paths && (await renewalTroubleNow(paths));
  const facts = await doctorFacts({ ...factsOptionsOf(config, options, { identity, runner }), renewalError });
  findings.push(...factFindings(facts, now, { isPull: config.pull !== undefined }));
  findings.push(...(await portFindings(config, options)));
  return { certname: identity?.certname ?? options.certname ?? hostname(), findings: withoutTwins(findings) };
}

const RENEW_NEXT =
  "renew it ('puppet ssl clean', then 'puppet ssl bootstrap'; or 'kick pki issue'): it needs its name among its DNS names, and serverAuth";

/** A run in progress is no problem for an agent; a lock that is held without one is. */
function gateFindings(gate: Gate, now: number): Finding[] {
  if (gate.state === 'disabled') return disabledFindings(gate.disabled, now);
  if (gate.state === 'unclear') return obstacleFindings(gate.problem);
  return gate.state === 'held' ? runFindings(gate.holder, now) : [];
}

/** An agent that accepts no controller is useless. */
function controllerFindings({ controllers, trust_pp_cli_auth }: AgentConfig, path: string): Finding[] {
  if (controllers.length > 0 || trust_pp_cli_auth) return [];
  return [
    problem(
      'nobody may kick this host: trust_pp_cli_auth is false, and controllers is empty',
      `name the controller in ${path}: controllers: [puppet.example.com]`,
    ),
  ];
}

/** A missing Puppet is found by several checks, but reported once. */
function withoutTwins(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ what }, index) => findings.findIndex((one) => one.what === what) === index);
}

/** It holds the port for an agent that sleeps (kick-agent.socket). */
const SYSTEMD = 1;

/** Of kick-helper.socket, where the port is a listener's (DESIGN 14). */
const HELPER_SOCKET = '/run/kick-helper/socket';

async function portFindings(config: AgentConfig, options: AgentMainOptions): Promise<Finding[]> {
  const port = options.port ?? config.port;
  const holder = await lockHolder(layoutOf(options.stateDir, options.runDir).agentLock, systemClock);
  if (holder !== undefined)
    return [remark(`kick agent runs here already: ${holder}`, 'kick doctor with its name asks it')];
  const error = await cannotListen(port, options.bind ?? config.bind);
  if (error === undefined || (await listensOn(port, SYSTEMD))) return [];
  if (await exists(HELPER_SOCKET))
    return [
      remark(`port ${port} is held, and the helper sleeps`, 'see who has it: systemctl status kick-listener'),
    ];
  return [
    problem(`port ${port} cannot be listened on: ${error}`, `see who has it: ss -ltnp 'sport = :${port}'`),
  ];
}

function cannotListen(port: number, host: string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(messageOf(error)));
    server.listen({ port, ...(host !== undefined && { host }) }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
