/** Streams at once: of all, of one host, of one person. */
import { addressGroup } from '../../../util/address-group.ts';
import { createShares, type Shares } from '../../../util/shares.ts';
import { ApiProblem } from '../../api/problem.ts';

const MAX_STREAMS = 500;
const MAX_OF_ADDRESS = 250;
const MAX_OF_PERSON = 100;

export interface StreamPlaces {
  /** Returns what gives the place back. Throws `ApiProblem` `unavailable`. */
  take(of: { address: string; person: string }): () => void;
}

export function openStreamPlaces({
  ofAddress = MAX_OF_ADDRESS,
  ofPerson = MAX_OF_PERSON,
} = {}): StreamPlaces {
  const [all, addresses, persons] = [
    createShares(MAX_STREAMS),
    createShares(ofAddress),
    createShares(ofPerson),
  ];
  return {
    take({ address, person }) {
      const taken: (() => void)[] = [];
      const giveBack = () => {
        for (const give of taken) give();
      };
      const take = (shares: Shares, who: string) => {
        if (!shares.take(who)) return false;
        taken.push(() => shares.giveBack(who));
        return true;
      };
      if (take(persons, person) && take(addresses, addressGroup(address)) && take(all, '')) return giveBack;
      giveBack();
      throw new ApiProblem('unavailable', 'too many streams are open already', {
        hint: `one person may have ${ofPerson}, and one address ${ofAddress}`,
      });
    },
  };
}
