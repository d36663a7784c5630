/** One host, as the API returns it. */
import * as v from 'valibot';
import { CertnameSchema } from '../../protocol/names.ts';
import { longText, measure } from '../../util/bounds.ts';
import { StateSchema } from './fleet.ts';
import { JobHostSchema, JobLineSchema } from './job.ts';

export const HostPageParams = v.strictObject({ certname: CertnameSchema });

export const HostPageSchema = v.object({
  certname: longText,
  /** What it is doing now, or why it does not answer. */
  now: StateSchema,
  /** What will go wrong. */
  findings: v.array(v.looseObject({})),
  /** Until its certificate expires; absent if it does not say. */
  certificateDays: v.optional(measure),
  /** Groups of the inventory that list it. */
  groups: v.array(longText),
  /** The latest first. */
  jobs: v.array(v.object({ job: JobLineSchema, host: JobHostSchema })),
  /** Whether older jobs were not looked at. */
  isCut: v.boolean(),
  warnings: v.array(longText),
});
