/** Asks all agents at the brokers of controller.yaml. */
import type { ControllerConfig } from '../config/controller-config.ts';
import { NATS_EXAMPLE } from '../config/nats-config.ts';
import { KickError } from '../errors.ts';
import type { Asks } from '../protocol/discovery.ts';
import { type Discovered, type DiscoverOptions, discover } from './fleet/discover.ts';
import type { Site } from './site.ts';

interface DiscoverSite extends Pick<Site, 'identity' | 'openCrowd' | 'clock'> {
  config: Pick<ControllerConfig, 'nats'>;
}

/** Throws `KickError`: `usage` if there is none, `config` if none can be reached. */
export async function discoverHosts(
  { config: { nats }, identity, openCrowd, clock }: DiscoverSite,
  asks: Asks,
  options: Pick<DiscoverOptions, 'meant' | 'expected' | 'all' | 'waitMs'>,
): Promise<Discovered> {
  if (nats === undefined || openCrowd === undefined) {
    throw new KickError(
      'usage',
      'discover hosts: controller.yaml names no servers of NATS, through which hosts answer',
      { hint: NATS_EXAMPLE },
    );
  }
  const own = await identity();
  const { crowd, close } = await openCrowd({ identity: own, nats });
  try {
    return await discover(asks, { identity: own, crowd, clock, ...options });
  } finally {
    close();
  }
}
