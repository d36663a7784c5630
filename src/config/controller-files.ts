/** The files of a controller: controller.yaml and inventory.yaml. Both may be absent. */
import { join } from 'node:path';
import * as v from 'valibot';
import { type ControllerConfig, ControllerConfigSchema } from './controller-config.ts';
import { readYamlFile } from './yaml-file.ts';

/** Throws `KickError` `config`. */
export async function readControllerConfig(configDir: string): Promise<ControllerConfig> {
  const path = join(configDir, 'controller.yaml');
  const found = await readYamlFile(path, ControllerConfigSchema, { what: 'controller configuration' });
  return found ?? v.parse(ControllerConfigSchema, {});
}
