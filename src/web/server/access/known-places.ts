/** From where people have signed in: there, what strangers try from elsewhere keeps nobody out. */
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../../errors.ts';
import { addressGroup } from '../../../util/address-group.ts';
import { text, time } from '../../../util/bounds.ts';
import type { Clock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { openStoredList } from './stored-list.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 90 * DAY_MS;
/** Of one person, and of all. */
const MAX_EACH = 20;
const MAX_PLACES = 10_000;

const PlaceSchema = v.object({ user: text(64), place: text(64), at: time });

export interface KnownPlaces {
  isKnown(user: string, address: string): Promise<boolean>;
  /** Never throws: a full disk keeps nobody out. */
  note(user: string, address: string): Promise<void>;
}

export function openKnownPlaces(webDir: string, { clock, log }: { clock: Clock; log: Log }): KnownPlaces {
  const stored = openStoredList(join(webDir, 'places.json'), PlaceSchema, clock);
  const find = async (user: string, place: string, within: number) =>
    (await stored.read()).some(
      (one) => one.user === user && one.place === place && clock.now() - one.at < within,
    );
  return {
    isKnown: (user, address) => find(user, addressGroup(address), KEPT_MS).catch(() => false),
    async note(user, address) {
      const [place, at] = [addressGroup(address), clock.now()];
      try {
        if (await find(user, place, DAY_MS)) return;
        await stored.change((all) => {
          const others = all.filter(
            (one) => at - one.at < KEPT_MS && !(one.user === user && one.place === place),
          );
          const [own, rest] = [
            others.filter((one) => one.user === user),
            others.filter((one) => one.user !== user),
          ];
          return [...rest, ...own.slice(1 - MAX_EACH), { user, place, at }].slice(-MAX_PLACES);
        });
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'from where somebody signed in cannot be noted');
      }
    },
  };
}
