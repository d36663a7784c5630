/** Jobs that wait for their lock have nothing but their marker: one that is damaged must not vanish. */
import type { Client } from '../../../src/cli/demo/api-client.ts';
import type { Random } from '../../../src/cli/demo/run-shape.ts';
import { sleep } from '../../../src/util/clock.ts';
import type { ServerPlace } from './server-model.ts';
import { damage, type Spot } from './ways.ts';

/** They run one after the other. */
const AT_ONCE = 12;
/** Milliseconds for all of them. */
const OVER_MS = 240_000;

export interface DamagedWaiting {
  id: string;
  what: string;
  isWhole: boolean;
}

/** The first is left whole. */
export function damageWaiting(
  place: ServerPlace,
  order: Generator<Spot, never, void>,
  random: Random,
): DamagedWaiting[] {
  const all = [{ id: place.copyWaiting().id, what: 'waiting, whole', isWhole: true }];
  while (all.length < AT_ONCE) {
    const { file, ...spot } = order.next().value;
    const what = `${file}, byte ${spot.at}: ${spot.way}`;
    // An empty one is that of a job that has begun, and where there is none nobody waits.
    if ((spot.way === 'cut off' && spot.at === 0) || spot.way === 'vanished') continue;
    const { id, path } = place.copyWaiting();
    if (damage(path, spot, random)) all.push({ id, what, isWhole: false });
  }
  return all;
}

/** What is wrong with how it ends, or with what is said of it; waits until it is over. */
export async function waitingObjections(
  client: Client,
  { id, what, isWhole }: DamagedWaiting,
  truth: Readonly<Record<string, string>>,
): Promise<string[]> {
  const until = performance.now() + OVER_MS;
  let said = '';
  while (performance.now() < until) {
    try {
      const { state } = await client.ask(`jobs/${id}`);
      if (state === 'done') {
        const { hosts } = await client.ask(`jobs/${id}/hosts`);
        const isTrue = hosts.every((one: Told) => truth[one.certname] === one.outcome);
        return isTrue && hosts.length === Object.keys(truth).length
          ? []
          : [`${what}: ${JSON.stringify(hosts)}`];
      }
      said = state;
    } catch (error) {
      said = (error as Error).message;
      if (/ 404 .*waited for its lock, and is left alone/.test(said))
        return isWhole ? [`${what}: ${said}`] : [];
    }
    await sleep(20);
  }
  return [`${what}: it does not end: ${said}`];
}

interface Told {
  certname: string;
  outcome?: string;
}
