/** controller.yaml: defaults of the command line, for a whole site. */
import * as v from 'valibot';
import { CertnameSchema } from '../protocol/names.ts';

export const ControllerConfigSchema = v.strictObject({
  /** Where agents listen. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 8139),
  /** Runs at once. */
  concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 25),
  /** Completes names without a dot; absent: the controller's own. */
  domain: v.optional(CertnameSchema),
});

export type ControllerConfig = v.InferOutput<typeof ControllerConfigSchema>;
