/** Starts a fleet: certificates, processes, and the controller's files with which the real `kick` finds it. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KickError } from '../../src/errors.ts';
import { type MintedCa, mintCa } from '../mint/mint-ca.ts';
import { type NatsServer, startNatsServer } from '../nats-server.ts';
import { throwawayFolder } from '../throwaway-folder.ts';
import { FAULTS, type Fault, spreadFaults } from './faults.ts';
import {
  type Answer,
  addressOf,
  type ControllerKey,
  certnameOf,
  FLEET_CA,
  FLEET_CONTROLLER,
  type FleetOptions,
  type MemberTask,
  type Order,
  type Usage,
} from './plan.ts';

const MEMBER = join(import.meta.dirname, 'member.ts');
const TSX = import.meta.resolve('tsx');

export interface Fleet {
  /** Everything of the fleet; removed by `stop`. */
  readonly folder: string;
  readonly names: readonly string[];
  readonly faults: ReadonlyMap<string, Fault>;
  /** Where a host listens. */
  addressOf(certname: string): { host: string; port: number };
  /** The arguments with which `kick` finds it, as the controller with a key of this type. */
  kickArgs(keyType?: ControllerKey): string[];
  usage(): Promise<Usage>;
  /** Of the processes that the hosts are spread over. */
  readonly pids: readonly number[];
  /** With `nats`. */
  readonly broker?: NatsServer;
  stop(): Promise<void>;
}

export interface StartOptions extends FleetOptions {
  onProgress?(ready: number): void;
}

/** Resolves when every host listens. Throws `KickError`. */
export async function startFleet(options: StartOptions): Promise<Fleet> {
  const { hosts, port, processes, shape, controllerKey, names: given } = options;
  const nameOf = (number: number) => certnameOf(number, given);
  const faults = spreadFaults(options.faults, hosts, shape.seed);
  const { path: folder, remove: removeFolder } = throwawayFolder({
    prefix: 'kick-fleet-',
    ...(existsSync('/dev/shm') && { parent: '/dev/shm' }),
  });
  const members: Member[] = [];
  let broker: NatsServer | undefined;
  const onExit = () => {
    for (const member of members) member.kill();
    void broker?.kill('SIGKILL');
    removeFolder();
  };
  // Before the folder of the certificates is removed.
  process.prependOnceListener('exit', onExit);
  const remove = async () => {
    await Promise.all(members.map((member) => member.end()));
    await broker?.kill('SIGKILL');
    removeFolder();
    process.off('exit', onExit);
  };
  try {
    const certificates = options.keep ?? join(folder, 'certificates');
    const ca = mintCa({ name: FLEET_CA, keep: certificates });
    const numbers = Array.from({ length: hosts }, (_, number) => number);
    const agents = numbers.map(nameOf);
    if (options.nats === true) {
      const parties = { ca, agents, controllers: [FLEET_CONTROLLER] };
      broker = await startNatsServer({ folder: join(folder, 'nats'), ...parties });
    }
    writeController(folder, { numbers, faults, port, nameOf, nats: broker?.address });
    const own = { certificates, state: join(folder, 'hosts'), ...(given !== undefined && { names: given }) };
    const nats = broker === undefined ? {} : { nats: broker.address };
    const common = { step: processes, hosts, port, shape, ...own, ...nats };
    for (let first = 0; first < Math.min(processes, hosts); first++) {
      members.push(startMember({ first, ...common, faults: [...faults] }));
    }
    await allStarted(members, options.onProgress);
    const numberOf = new Map(agents.map((name, number) => [name, number]));
    return {
      folder,
      names: agents,
      faults: new Map([...faults].map(([number, fault]) => [nameOf(number), fault])),
      addressOf: (certname) => ({ host: addressOf(numberOf.get(certname) ?? 0), port }),
      kickArgs: (keyType = controllerKey) => kickArgs(folder, { ca, keyType }),
      usage: () => usageOf(members),
      pids: members.map(({ pid }) => pid),
      ...(broker !== undefined && { broker }),
      stop: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function allStarted(members: readonly Member[], onProgress: StartOptions['onProgress']): Promise<void> {
  const ready = members.map(() => 0);
  const onReady = (index: number) => (count: number) => {
    ready[index] = count;
    onProgress?.(ready.reduce((sum, one) => sum + one, 0));
  };
  await Promise.all(members.map((member, index) => member.started(onReady(index))));
}

async function usageOf(members: readonly Member[]): Promise<Usage> {
  const all = await Promise.all(members.map((member) => member.usage()));
  const sum = (of: (usage: Usage) => number) => all.reduce((total, usage) => total + of(usage), 0);
  return { cpuMs: sum(({ cpuMs }) => cpuMs), rssMb: sum(({ rssMb }) => rssMb) };
}

/** A pki folder for each type of key, since a certname has one. */
function kickArgs(folder: string, { ca, keyType }: { ca: MintedCa; keyType: ControllerKey }): string[] {
  const pki = join(folder, 'pki', keyType);
  if (!existsSync(pki)) ca.write(pki, ca.issue(FLEET_CONTROLLER, { keyType }));
  return [
    ...['--config-dir', join(folder, 'etc'), '--pki-dir', pki],
    ...['--state-dir', join(folder, 'kick'), '--certname', FLEET_CONTROLLER],
  ];
}

interface Listed {
  numbers: readonly number[];
  faults: ReadonlyMap<number, Fault>;
  port: number;
  nameOf(number: number): string;
  nats: string | undefined;
}

/** controller.yaml and inventory.yaml, the hosts with each fault in a group of its name. */
function writeController(folder: string, { numbers, faults, port, nameOf, nats }: Listed): void {
  const etc = join(folder, 'etc');
  mkdirSync(etc, { mode: 0o700 });
  const brokers = nats === undefined ? '' : `nats: {servers: ['${nats}']}\n`;
  writeFileSync(join(etc, 'controller.yaml'), `puppetdb: false\nconfirm_above: 1000000\n${brokers}`);
  const targets = numbers.map(
    (number) => `  - name: ${nameOf(number)}\n    uri: ${addressOf(number)}:${port}\n`,
  );
  const group = (name: string, members: readonly number[]) =>
    `  - name: ${name}\n    targets: [${members.map(nameOf).join(', ')}]\n`;
  const groups = (Object.keys(FAULTS) as Fault[]).flatMap((fault) => {
    const members = numbers.filter((number) => faults.get(number) === fault);
    return members.length === 0 ? [] : [group(fault, members)];
  });
  const well = numbers.filter((number) => !faults.has(number));
  // Without faults it is --all, and a real inventory would not name every host twice.
  if (faults.size > 0) groups.push(group('well', well));
  writeFileSync(
    join(etc, 'inventory.yaml'),
    `targets:\n${targets.join('')}${groups.length > 0 ? `groups:\n${groups.join('')}` : ''}`,
  );
}

interface Member {
  readonly pid: number;
  started(onProgress: (ready: number) => void): Promise<void>;
  usage(): Promise<Usage>;
  end(): Promise<void>;
  kill(): void;
}

function startMember(task: MemberTask): Member {
  const child = fork(MEMBER, [], {
    execArgv: ['--import', TSX],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const tell = (order: Order) => child.send(order);
  tell({ type: 'start', task });
  return {
    pid: child.pid ?? 0,
    started: (onProgress) =>
      answerOf(child, (answer) => {
        if (answer.type === 'progress') onProgress(answer.ready);
        return answer.type === 'ready' ? true : undefined;
      }).then(() => {}),
    usage() {
      const usage = answerOf(child, (answer) => (answer.type === 'usage' ? answer.usage : undefined));
      tell({ type: 'usage' });
      return usage;
    },
    kill: () => void child.kill('SIGKILL'),
    async end() {
      if (child.connected) tell({ type: 'stop' });
      await ended;
    },
  };
}

/** The first answer that `take` wants. Throws `KickError` when the member fails or ends. */
function answerOf<T>(child: ChildProcess, take: (answer: Answer) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = () => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (answer: Answer) => {
      const taken = take(answer);
      if (taken === undefined && answer.type !== 'failed') return;
      off();
      if (taken !== undefined) return resolve(taken);
      if (answer.type === 'failed')
        reject(new KickError('config', `start the fleet: ${answer.message}`, answer));
    };
    const onExit = (code: number | null) => {
      off();
      reject(new KickError('internal', `start the fleet: one of its processes ended (${code ?? 'killed'})`));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
