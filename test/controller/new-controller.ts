/** A controller with folders of its own, whose hosts are what a test says. */
import { join } from 'node:path';
import * as v from 'valibot';
import { ControllerConfigSchema } from '../../src/config/controller-config.ts';
import { type Controller, openController } from '../../src/controller/controller.ts';
import type { Identity } from '../../src/pki/identity.ts';
import type { Sender } from '../../src/transport/transport.ts';
import { systemClock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';

export function newController(identity: Identity, openSender: () => Sender): Controller {
  const folder = tempFolder();
  const at = (name: string) => join(folder, name);
  return openController({
    ...{ path: '', version: '1', clock: systemClock, config: v.parse(ControllerConfigSchema, {}) },
    folders: {
      ...{ configDir: at('etc'), stateDir: at('state'), pkiDir: at('pki'), runDir: at('run') },
      pkiDirNamed: true,
    },
    identity: async () => identity,
    openSender: async () => openSender(),
  });
}
