/** What the event stream of a job says: little for each host, since a job may have ten thousand. Logs are asked for. */

import * as v from 'valibot';
import { count, longText, time } from '../../util/bounds.ts';

const at = v.pipe(time, v.description('milliseconds since 1970'));

export const NewsSchema = v.variant('type', [
  v.object({ type: v.literal('job'), at, id: longText, hosts: count, concurrency: count }),
  v.object({
    type: v.literal('host'),
    at,
    certname: longText,
    state: v.picklist(['asked', 'accepted', 'waiting', 'running', 'retrying']),
    message: v.optional(longText),
  }),
  v.object({
    type: v.literal('end'),
    at,
    certname: longText,
    outcome: longText,
    message: v.optional(longText),
    startedAt: v.optional(time),
    changed: count,
  }),
  v.object({
    type: v.literal('batch'),
    at,
    number: count,
    of: count,
    hosts: count,
    isCanary: v.boolean(),
  }),
  v.object({ type: v.literal('pause'), at, until: v.optional(time) }),
  v.object({ type: v.literal('window'), at, size: count, most: count, why: longText }),
  v.object({ type: v.literal('stopping'), at, reason: longText, message: longText }),
  v.object({ type: v.literal('done'), at, stopped: v.optional(longText) }),
  /** The controller that ran it died; the job can be resumed. */
  v.object({ type: v.literal('died'), at, message: longText }),
]);

export type News = v.InferOutput<typeof NewsSchema>;
