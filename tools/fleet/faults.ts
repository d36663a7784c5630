/** What can be wrong with a simulated host, and which hosts have it. */

import { randomFrom } from '../../src/cli/demo/run-shape.ts';
import { KickError } from '../../src/errors.ts';

export const FAULTS = {
  refuse: 'nothing listens there',
  reset: 'the connection is reset within the TLS handshake',
  'hang-handshake': 'the port is open, the TLS handshake is never answered',
  garbage: 'what answers is not TLS',
  nonsense: 'an agent by its certificate, but what it says are no events',
  'hang-stream': 'the run is accepted and begins, then nothing is heard any more',
  break: 'the first connection breaks in mid-stream; asked again, it goes on',
  slow: 'every answer takes two seconds',
  skew: 'the clock is an hour behind',
} as const;
export type Fault = keyof typeof FAULTS;

export type Share = { fault: Fault; count: number } | { fault: Fault; percent: number };

/** `refuse=2%` or `refuse=3`. Throws `KickError` `usage`. */
export function parseFault(text: string): Share {
  const [, name = '', number = '', sign] = /^([a-z-]+)=(\d{1,7}(?:\.\d{1,4})?)(%?)$/.exec(text) ?? [];
  const fault = (Object.keys(FAULTS) as Fault[]).find((one) => one === name);
  const value = Number(number);
  const isPercent = sign === '%';
  if (fault === undefined || (isPercent ? value > 100 : !Number.isInteger(value))) {
    throw new KickError('usage', `--fault: "${text}" is not a fault with its share`, {
      hint: `write it like refuse=2% or refuse=3; there are ${Object.keys(FAULTS).join(', ')}`,
    });
  }
  return isPercent ? { fault, percent: value } : { fault, count: value };
}

/** The fault of each host that has one, by its number. Throws `KickError` `usage` when there are more than hosts. */
export function spreadFaults(shares: readonly Share[], hosts: number, seed: number): Map<number, Fault> {
  const wanted = shares.flatMap((share) => {
    const count = 'count' in share ? share.count : Math.round((hosts * share.percent) / 100);
    return Array.from({ length: count }, () => share.fault);
  });
  if (wanted.length > hosts) {
    throw new KickError('usage', `--fault: ${wanted.length} faults for ${hosts} hosts`);
  }
  const random = randomFrom(seed);
  const order = Array.from({ length: hosts }, (_, index) => index);
  for (let i = 0; i < wanted.length; i++) {
    const other = i + Math.floor(random() * (hosts - i));
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  return new Map(wanted.map((fault, i) => [order[i] ?? 0, fault]));
}
