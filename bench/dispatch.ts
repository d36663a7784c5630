/** What a host costs the controller, compared with the minimum possible and with what people use instead. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS, FLEET_CONTROLLER } from '../tools/fleet/plan.ts';
import { type Fleet, startFleet } from '../tools/fleet/start-fleet.ts';
import { isInstalled } from '../tools/installed.ts';
import { PROGRAM } from '../tools/program.ts';
import { BARE_CLIENT, median, mediansOf, type Row, roundsWithin } from './measure.ts';
import { startSshd } from './openssh.ts';
import { presign } from './presigned.ts';
import { type Cost, costOfNode, cpuOfCommand } from './processes.ts';

const CONCURRENCY = 50;
const SSH_HOSTS = 200;
const FAN_OUT = 32;
/** Within which pairs of kick and the bare client begin, for each type of key. */
const PAIRS_MS = 40_000;
/** The same for rounds of the longest turn. */
const SPEED_MS = 15_000;

export interface DispatchOptions {
  folder: string;
  hosts: number;
  keep: string;
}

const perHost = (cost: Cost, hosts: number) => cost.cpuMs / hosts;
const ms = (value: number) => `${value.toFixed(2)} ms`;

export async function* dispatchRows({ folder, hosts, keep }: DispatchOptions): AsyncGenerator<Row> {
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep });
  try {
    const p256 = await keyRows(fleet, { folder, keyType: 'p256', goal: 1.3 });
    yield* p256.rows;
    yield* (await keyRows(fleet, { folder, keyType: 'rsa-4096', goal: 1.8 })).rows;
    yield* await speedRows(fleet, folder);
    yield* await otherRows(folder, p256.own);
  } finally {
    await fleet.stop();
  }
}

interface KeyOptions {
  folder: string;
  keyType: 'p256' | 'rsa-4096';
  goal: number;
}

function detached(fleet: Fleet, keyType: 'p256' | 'rsa-4096', concurrency: number): string[] {
  const flags = ['--all', '--detach', '--quiet', '--concurrency', String(concurrency)];
  return [PROGRAM, 'run', ...flags, ...fleet.kickArgs(keyType)];
}

/** Alternating, so that other load on the machine affects both. */
async function keyRows(
  fleet: Fleet,
  { folder, keyType, goal }: KeyOptions,
): Promise<{ rows: Row[]; own: number }> {
  const hosts = fleet.names.length;
  const path = join(folder, 'requests');
  const args = fleet.kickArgs(keyType);
  const pki = args[args.indexOf('--pki-dir') + 1] ?? '';
  const targets = fleet.names.map((certname) => ({ certname, ...fleet.addressOf(certname) }));
  const [own, bare]: [number[], number[]] = [[], []];
  for (const _ of roundsWithin(PAIRS_MS, { least: 1, most: 5 })) {
    await presign(targets, { path, pki, controller: FLEET_CONTROLLER });
    const bareArgs = [BARE_CLIENT, path, pki, FLEET_CONTROLLER, String(CONCURRENCY)];
    bare.push(perHost(await costOfNode(bareArgs, { folder }), hosts));
    own.push(perHost(await costOfNode(detached(fleet, keyType, CONCURRENCY), { folder }), hosts));
  }
  const ratio = median(own.map((value, i) => value / (bare[i] ?? Number.NaN)));
  const floor = openssl(fleet, pki);
  return {
    own: median(own),
    rows: [
      {
        what: `controller CPU a host, ${keyType}, ${hosts} hosts`,
        value: ms(median(own)),
        beside: `${ratio.toFixed(2)} x a bare Node client (${ms(median(bare))}), ${own.length} pairs`,
        promised: `<= ${goal} x`,
        figures: { own: median(own), bare: median(bare), ratio },
      },
      {
        what: '  openssl s_time -new, the handshake alone',
        value: floor === undefined ? '-' : ms(floor),
        beside:
          floor === undefined
            ? 'not measured: no openssl here'
            : `kick is ${(median(own) / floor).toFixed(2)} x`,
        promised: '-',
        ...(floor !== undefined && { figures: { openssl: floor, ratio: median(own) / floor } }),
      },
    ],
  };
}

/** Milliseconds of CPU per handshake; undefined without openssl. */
function openssl(fleet: Fleet, pki: string): number | undefined {
  if (!isInstalled('openssl')) return undefined;
  const { host, port } = fleet.addressOf(fleet.names[0] ?? '');
  const script = 'TIMEFORMAT="cpu %U %S"; time "$@" 2>&1';
  const out = execFileSync(
    'bash',
    [
      ...['-c', `{ ${script}; } 2>&1`, 'bash', 'openssl', 's_time', '-new', '-time', '2'],
      ...['-connect', `${host}:${port}`, '-CAfile', `${pki}/certs/ca.pem`],
      ...[
        '-cert',
        `${pki}/certs/${FLEET_CONTROLLER}.pem`,
        '-key',
        `${pki}/private_keys/${FLEET_CONTROLLER}.pem`,
      ],
    ],
    { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
  );
  const [, count = '0'] = /(\d+) connections in/.exec(out) ?? [];
  const [, user = '', system = ''] = /^cpu (\S+) (\S+)$/m.exec(out) ?? [];
  return ((Number(user) + Number(system)) * 1000) / Number(count);
}

/**
 * To the last ack, and what it does to the event loop. Where it can be, the fleet is kept off the controller's
 * processor: in the field hosts do not make it wait for its own machine.
 */
async function speedRows(fleet: Fleet, folder: string): Promise<Row[]> {
  const hosts = fleet.names.length;
  const starter = keepOffFirst(fleet.pids);
  const costs: Cost[] = [];
  for (const _ of roundsWithin(SPEED_MS, { least: 1, most: 3 })) {
    costs.push(await costOfNode(detached(fleet, 'p256', 500), { folder, stalls: true, starter }));
  }
  const { wallMs, stallMs: wall, stallCpuMs: cpu } = mediansOf(costs);
  const speed = hosts / (wallMs / 1000);
  return [
    {
      what: 'hosts a second to the last ack',
      value: speed.toFixed(0),
      beside: `${hosts} hosts, concurrency 500, ${starter.length > 0 ? 'kick on a processor of its own' : 'the fleet on the same processors'}`,
      promised: '-',
      figures: { perSecond: speed },
    },
    {
      what: '  longest turn of the event loop',
      value: `${wall.toFixed(0)} ms`,
      beside: `${cpu.toFixed(0)} ms of it CPU of kick's own maximum`,
      promised: '<= 50 ms',
      figures: { stallMs: wall, stallCpuMs: cpu },
    },
  ];
}

/** Keeps processes off the first processor; returns the command that starts a program on it alone, if there is another one. */
function keepOffFirst(pids: readonly number[]): string[] {
  if (cpus().length < 2 || !isInstalled('taskset')) return [];
  const others = `1-${cpus().length - 1}`;
  for (const pid of pids)
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', others, String(pid)]);
  return ['taskset', '--cpu-list', '0'];
}

// ---------------------------------------------------------------- what people use instead

async function otherRows(folder: string, own: number): Promise<Row[]> {
  const row = (what: string, cpu: number | undefined, missing: string): Row =>
    cpu === undefined
      ? { what, value: '-', beside: `not measured: needs a working ${missing}`, promised: '-' }
      : {
          what,
          value: ms(cpu),
          beside: `${(cpu / own).toFixed(0)} x kick, controller's side alone`,
          promised: '>= 25 x',
          figures: { cpu, ratio: cpu / own },
        };
  const names = ['pdsh -R ssh', 'clush', 'ansible -m raw'] as const;
  const label = (name: string) => `  ${name} true, CPU a host, ${SSH_HOSTS} hosts`;
  if (!existsSync('/usr/sbin/sshd') || !isInstalled('ssh')) {
    return names.map((name) => row(label(name), undefined, 'openssh-server'));
  }
  const sshd = await startSshd(join(folder, 'ssh'), SSH_HOSTS);
  try {
    const all = sshd.addresses.join(',');
    const [ssh, fan] = [`-F ${sshd.config}`, String(FAN_OUT)];
    const measure = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      try {
        return isInstalled(program) ? cpuOfCommand([program, ...args], env) / SSH_HOSTS : undefined;
      } catch {
        return undefined; // it exists, but does not work
      }
    };
    const ansible = {
      ANSIBLE_SSH_ARGS: ssh,
      ANSIBLE_HOST_KEY_CHECKING: 'False',
      ANSIBLE_LOCAL_TEMP: join(folder, 'ansible'),
    };
    return [
      row(
        label('pdsh -R ssh'),
        measure('pdsh', ['-R', 'ssh', '-f', fan, '-w', all, 'true'], { PDSH_SSH_ARGS_APPEND: ssh }),
        'pdsh',
      ),
      row(label('clush'), measure('clush', ['-o', ssh, '-f', fan, '-w', all, 'true']), 'clustershell'),
      row(
        label('ansible -m raw'),
        measure('ansible', ['all', '-i', `${all},`, '-f', fan, '-m', 'raw', '-a', 'true'], ansible),
        'ansible-core',
      ),
    ];
  } finally {
    sshd.stop();
  }
}
