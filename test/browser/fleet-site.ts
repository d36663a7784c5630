/** A fleet whose runs end as a list says, with a user alice who may start jobs. */
import { onTestFinished } from 'vitest';
import { addressOf, DEFAULTS } from '../../tools/fleet/plan.ts';
import { parseOutcomes } from '../../tools/fleet/shape.ts';
import { startFleet } from '../../tools/fleet/start-fleet.ts';
import { freePort } from '../../tools/loopback.ts';
import { startKick } from '../support/kick.ts';
import type { Site } from '../support/real-site.ts';
import { addUser } from '../web/web-site.ts';

/** `isTold`: runs tell what they changed, and noop changes nothing. */
export async function fleetSite(
  outcomes: string,
  hosts: number,
  { isTold = false } = {},
): Promise<Pick<Site, 'env' | 'start'>> {
  const port = await freePort(addressOf(0));
  const shape = {
    ...DEFAULTS.shape,
    times: { kind: 'fixed', ms: 100 },
    outcomes: parseOutcomes(outcomes),
    ...(isTold && { isTold: true as const }),
  } as const;
  const fleet = await startFleet({ ...DEFAULTS, hosts, port, shape });
  onTestFinished(() => fleet.stop());
  const given = fleet.kickArgs();
  const after = (option: string) => given[given.indexOf(option) + 1] ?? '';
  const env = {
    KICK_CONFIG_DIR: after('--config-dir'),
    KICK_PKI_DIR: after('--pki-dir'),
    KICK_STATE_DIR: after('--state-dir'),
    KICK_CERTNAME: after('--certname'),
    NO_COLOR: '1',
  };
  const site = { env, start: (...words: string[]) => startKick(words, { env }) };
  addUser(site, 'alice', '--role', 'operator');
  return site;
}
