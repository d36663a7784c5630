/** Routes by which something is ordered about a job. */

import * as v from 'valibot';
import { longText } from '../../util/bounds.ts';
import { StartedSchema } from './job.ts';
import { ConfirmSchema, JobParams, RerunSchema, StopReplySchema, StopSchema } from './job-shapes.ts';
import { type Routes, route } from './route.ts';

export const orderRoutes = {
  stopJob: route({
    method: 'post',
    path: '/jobs/{job}/stop',
    role: 'operator',
    summary: 'Start no more hosts; runs in progress go on',
    params: JobParams,
    body: StopSchema,
    reply: StopReplySchema,
  }),
  cancelJob: route({
    method: 'post',
    path: '/jobs/{job}/cancel',
    role: 'operator',
    summary: 'Start no more hosts, and end the runs in progress',
    params: JobParams,
    body: StopSchema,
    reply: StopReplySchema,
  }),
  resumeJob: route({
    method: 'post',
    path: '/jobs/{job}/resume',
    role: 'operator',
    summary: 'Go on with a job that nobody runs',
    params: JobParams,
    body: StopSchema,
    reply: v.object({ job: longText }),
    status: 202,
    starts: true,
  }),
  rerunJob: route({
    method: 'post',
    path: '/jobs/{job}/rerun',
    role: 'operator',
    summary: 'Run a job again for the hosts that did not do as asked',
    params: JobParams,
    body: RerunSchema,
    reply: StartedSchema,
    status: 202,
    starts: true,
  }),
  confirmJob: route({
    method: 'post',
    path: '/jobs/{job}/confirm',
    role: 'operator',
    summary: 'Answer the question between two batches',
    params: JobParams,
    body: ConfirmSchema,
    reply: v.object({ job: longText }),
  }),
} satisfies Routes;
