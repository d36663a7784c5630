/** Routes of schedules. */
import * as v from 'valibot';
import { longText } from '../../util/bounds.ts';
import { type Routes, route } from './route.ts';
import { ScheduleNameSchema, ScheduleSchema, ScheduleWishSchema } from './schedule.ts';

const NameParams = v.strictObject({ name: ScheduleNameSchema });

export const scheduleRoutes = {
  listSchedules: route({
    method: 'get',
    path: '/schedules',
    role: 'viewer',
    summary: 'The schedules, their next times and what became of the last',
    reply: v.object({ schedules: v.array(ScheduleSchema) }),
  }),
  putSchedule: route({
    method: 'post',
    path: '/schedules',
    role: 'operator',
    summary:
      'Make a schedule, or replace the one of this name; it runs with the rights of whoever did so last',
    body: ScheduleWishSchema,
    reply: ScheduleSchema,
  }),
  pauseSchedule: route({
    method: 'post',
    path: '/schedules/{name}/pause',
    role: 'operator',
    summary: 'Pause a schedule, or go on with it',
    params: NameParams,
    body: v.strictObject({ paused: v.boolean() }),
    reply: ScheduleSchema,
  }),
  runSchedule: route({
    method: 'post',
    path: '/schedules/{name}/run',
    role: 'operator',
    summary: 'Run it now, as if its time had come',
    params: NameParams,
    body: v.strictObject({}),
    reply: v.object({ job: v.optional(longText), message: v.optional(longText) }),
    status: 202,
    starts: true,
  }),
  deleteSchedule: route({
    method: 'delete',
    path: '/schedules/{name}',
    role: 'operator',
    summary: 'Delete a schedule; its job goes on',
    params: NameParams,
    status: 204,
  }),
} satisfies Routes;
