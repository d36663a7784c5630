/** A process of the fleet: its share of the hosts, until its parent says so or is gone. */
import { dirname, join } from 'node:path';
import { KickError, messageOf } from '../../src/errors.ts';
import { mintCa } from '../mint/mint-ca.ts';
import { removeFolder } from '../throwaway-folder.ts';
import { startHost } from './host.ts';
import { type Answer, addressOf, certnameOf, FLEET_CA, type MemberTask, type Order } from './plan.ts';

/** Hosts that are being opened at once: their folders are made in Node's thread pool. */
const AT_ONCE = 16;

const say = (answer: Answer) => process.send?.(answer);

/** Of the whole fleet. */
let folder: string | undefined;

async function start(task: MemberTask): Promise<void> {
  folder = dirname(task.state);
  const { first, step, hosts, port, shape, certificates, names, nats } = task;
  const faults = new Map(task.faults);
  const ca = mintCa({ name: FLEET_CA, keep: certificates });
  let next = first;
  let ready = 0;
  const open = async () => {
    for (let number = next; number < hosts; number = next) {
      next += step;
      const certname = certnameOf(number, names);
      await startHost({
        number,
        port,
        shape,
        address: addressOf(number),
        identity: ca.agent(certname),
        folder: join(task.state, certname),
        fault: faults.get(number),
        nats,
      });
      if (++ready % 100 === 0) say({ type: 'progress', ready });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
}

process.on('message', (order: Order) => {
  switch (order.type) {
    case 'start':
      return void start(order.task).then(
        () => say({ type: 'ready' }),
        (error: unknown) => {
          const hint = error instanceof KickError && error.hint !== undefined ? { hint: error.hint } : {};
          say({ type: 'failed', message: messageOf(error), ...hint });
        },
      );
    case 'usage': {
      const { user, system } = process.cpuUsage();
      const rssMb = process.memoryUsage.rss() / 2 ** 20;
      return say({ type: 'usage', usage: { cpuMs: (user + system) / 1000, rssMb } });
    }
    case 'stop':
      // Nothing is worth keeping: the parent removes the folders.
      process.exit(0);
  }
});
// A parent that was killed removes nothing: its processes do, each all of it.
process.on('disconnect', () => {
  if (folder !== undefined) removeFolder(folder);
  process.exit(0);
});
// A Ctrl-C reaches the whole group; the parent says when it is over.
process.on('SIGINT', () => {});
