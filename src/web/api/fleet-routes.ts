/** Routes about what hosts are doing, and orders to them. */
import {
  AskSchema,
  CancelSchema,
  DisableSchema,
  DoctorReplySchema,
  EnableSchema,
  OrderReplySchema,
  StatusReplySchema,
  SummaryReplySchema,
} from './fleet.ts';
import { type Routes, route } from './route.ts';

export const fleetRoutes = {
  fleetStatus: route({
    method: 'post',
    path: '/fleet/status',
    role: 'viewer',
    summary: 'What hosts are doing now',
    body: AskSchema,
    reply: StatusReplySchema,
  }),
  fleetSummary: route({
    method: 'post',
    path: '/fleet/summary',
    role: 'viewer',
    summary: 'The latest runs of hosts in numbers',
    body: AskSchema,
    reply: SummaryReplySchema,
  }),
  fleetDoctor: route({
    method: 'post',
    path: '/fleet/doctor',
    role: 'viewer',
    summary: 'What will go wrong on hosts',
    body: AskSchema,
    reply: DoctorReplySchema,
  }),
  disableHosts: route({
    method: 'post',
    path: '/fleet/disable',
    role: 'operator',
    summary: 'Disable Puppet on hosts',
    body: DisableSchema,
    reply: OrderReplySchema,
    starts: true,
  }),
  enableHosts: route({
    method: 'post',
    path: '/fleet/enable',
    role: 'operator',
    summary: 'Enable Puppet on hosts again',
    body: EnableSchema,
    reply: OrderReplySchema,
    starts: true,
  }),
  cancelHosts: route({
    method: 'post',
    path: '/fleet/cancel',
    role: 'operator',
    summary: 'End the runs of kick that are in progress on hosts',
    body: CancelSchema,
    reply: OrderReplySchema,
    starts: true,
  }),
} satisfies Routes;
