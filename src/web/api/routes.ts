/** The REST API under /api/v1. The server mounts this table; the OpenAPI document and the page's client are made from it. */

import * as v from 'valibot';
import { count, longText } from '../../util/bounds.ts';
import { accessRoutes } from './access-routes.ts';
import { ResolvedSchema, ResolveSchema } from './choice.ts';
import { fleetRoutes } from './fleet-routes.ts';
import { HostPageParams, HostPageSchema } from './host.ts';
import { JobSchema, JobWishSchema, StartedSchema } from './job.ts';
import {
  ChangesReplySchema,
  HostDetailSchema,
  HostParams,
  HostsQuery,
  HostsReplySchema,
  JobParams,
  JobsQuery,
  JobsReplySchema,
} from './job-shapes.ts';
import { orderRoutes } from './order-routes.ts';
import { type Routes, route } from './route.ts';
import { scheduleRoutes } from './schedule-routes.ts';

export const API = '/api/v1';

const hostRoutes = {
  resolveHosts: route({
    method: 'post',
    path: '/hosts/resolve',
    role: 'viewer',
    summary: 'Which hosts a choice means, and why',
    body: ResolveSchema,
    reply: ResolvedSchema,
  }),
  getHost: route({
    method: 'get',
    path: '/hosts/{certname}',
    role: 'viewer',
    summary: 'A host: what it is doing now, its latest jobs, what will go wrong',
    params: HostPageParams,
    reply: HostPageSchema,
  }),
  listGroups: route({
    method: 'get',
    path: '/groups',
    role: 'viewer',
    summary: 'The groups of the inventory, and whether hosts can be discovered',
    reply: v.object({
      groups: v.array(v.object({ name: longText, concurrency: v.optional(count) })),
      discovery: v.pipe(v.boolean(), v.description('whether there is a broker (NATS) to discover hosts at')),
    }),
  }),
} satisfies Routes;

const jobRoutes = {
  startJob: route({
    method: 'post',
    path: '/jobs',
    role: 'operator',
    summary: 'Run Puppet on hosts now; with dryRun, only say what would be done',
    body: JobWishSchema,
    reply: StartedSchema,
    status: 202,
    starts: true,
  }),
  listJobs: route({
    method: 'get',
    path: '/jobs',
    role: 'viewer',
    summary: 'Jobs, the latest first',
    query: JobsQuery,
    reply: JobsReplySchema,
  }),
  getJob: route({
    method: 'get',
    path: '/jobs/{job}',
    role: 'viewer',
    summary: 'A job',
    params: JobParams,
    reply: JobSchema,
  }),
  listJobHosts: route({
    method: 'get',
    path: '/jobs/{job}/hosts',
    role: 'viewer',
    summary: 'The hosts of a job and their outcomes',
    params: JobParams,
    query: HostsQuery,
    reply: HostsReplySchema,
  }),
  getJobHost: route({
    method: 'get',
    path: '/jobs/{job}/hosts/{certname}',
    role: 'viewer',
    summary: 'What became of a host of a job: its changes and its log',
    params: HostParams,
    reply: HostDetailSchema,
  }),
  listChanges: route({
    method: 'get',
    path: '/jobs/{job}/changes',
    role: 'viewer',
    summary: 'The hosts of a job by what changed on them',
    params: JobParams,
    reply: ChangesReplySchema,
  }),
  streamJob: route({
    method: 'get',
    path: '/jobs/{job}/events',
    role: 'viewer',
    summary: 'The news of a job as it happens; resumes after Last-Event-ID',
    params: JobParams,
    streams: true,
  }),
} satisfies Routes;

export const ROUTES = {
  ...hostRoutes,
  ...jobRoutes,
  ...orderRoutes,
  ...fleetRoutes,
  ...scheduleRoutes,
  ...accessRoutes,
};

export type ApiRoutes = typeof ROUTES;
