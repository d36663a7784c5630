/** What hosts are doing, and orders to them. */
import { countHosts } from '../../../controller/fleet/host-state.ts';
import type { Action } from '../../../protocol/request.ts';
import type { ChoiceWish } from '../../api/choice.ts';
import { byOf, type Caller } from '../access/caller.ts';
import { checkCount, checkOrders } from '../access/may.ts';
import type { Handlers, Note, ServerContext } from '../context.ts';
import { stateLineOf, within } from './host-view.ts';
import { allowedHosts, unansweredOf } from './hosts.ts';
import { hostCount } from './job-view.ts';

type Names = 'fleetStatus' | 'fleetSummary' | 'fleetDoctor' | 'disableHosts' | 'enableHosts' | 'cancelHosts';

export function fleetHandlers(context: ServerContext): Handlers<Names> {
  const { controller, clock } = context;
  const chosen = (choice: ChoiceWish, caller: Caller) =>
    allowedHosts(context, choice, { caller, isLook: true });
  return {
    async fleetStatus({ body }, caller) {
      const { hosts, warnings } = await chosen(body.choice, caller);
      const answers = await controller.status(hosts, within());
      const { states, waiting } = countHosts(answers);
      return {
        counts: states,
        waiting,
        hosts: answers.map(stateLineOf),
        unanswered: unansweredOf(hosts),
        warnings,
      };
    },
    async fleetSummary({ body }, caller) {
      const { hosts, warnings } = await chosen(body.choice, caller);
      const { summary } = await controller.summary(hosts, within());
      return { ...summary, warnings };
    },
    async fleetDoctor({ body }, caller) {
      const { hosts, warnings } = await chosen(body.choice, caller);
      const patients = await controller.doctor(hosts, within());
      return {
        warnings,
        hosts: patients.map(({ certname, findings, isSilent = false, vitals }) => ({
          certname,
          isSilent,
          findings: findings.map((one) => ({ ...one })),
          ...(vitals !== undefined && { vitals: { ...vitals } }),
        })),
      };
    },
    disableHosts({ body }, caller, note) {
      const until = body.for === undefined ? {} : { until: Math.ceil(clock.now() / 1000) + body.for };
      const action: Action = { op: 'disable', reason: body.reason, ...until };
      return order(context, { action, ...body }, { caller, note });
    },
    enableHosts({ body }, caller, note) {
      const action: Action = { op: 'enable', ...(body.force === true && { force: true }) };
      return order(context, { action, ...body }, { caller, note });
    },
    cancelHosts: ({ body }, caller, note) =>
      order(context, { action: { op: 'cancel' }, ...body }, { caller, note }),
  };
}

interface OrderWish {
  action: Action;
  choice: ChoiceWish;
  reason?: string | undefined;
}

async function order(
  context: ServerContext,
  { action, choice, reason }: OrderWish,
  { caller, note }: { caller: Caller; note: Note },
) {
  checkOrders(caller);
  const { hosts, warnings } = await allowedHosts(context, choice, { caller });
  checkCount(caller, hosts.targets.length);
  note.detail = `${action.op} ${hostCount(hosts.targets.length)}`;
  const answers = await context.controller.command(hosts, { action, by: byOf(caller, reason) });
  return {
    warnings,
    hosts: answers.map(({ target, reply, error }) => ({
      certname: target.certname,
      ...(reply !== undefined && { result: reply.result, message: reply.message }),
      ...(error !== undefined && { error }),
    })),
  };
}
