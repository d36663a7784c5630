/** Where facts come from when there is no PuppetDB: the inventory, if it has any. */
import { KickError } from '../../errors.ts';
import type { Inventory } from './inventory.ts';

/** Throws `KickError` `usage` if the inventory has no facts of any host. `what`: the option, or what was being done. */
export function checkHasFacts({ hosts }: Inventory, what: string): void {
  for (const { facts } of hosts.values()) if (Object.keys(facts).length > 0) return;
  throw needsPuppetDb(what);
}

export function needsPuppetDb(what: string): KickError {
  return new KickError('usage', `${what}: there is no PuppetDB to ask`, {
    hint:
      'controller.yaml, puppetdb: {urls: [https://puppetdb.example.com:8081]}; ' +
      'through NATS the agents judge: kick discover --fact os.family=Debian',
  });
}
