/** What a caller may do, and a sentence for what not. */
import type { Hosts } from '../../../controller/choose-hosts.ts';
import type { Controller } from '../../../controller/controller.ts';
import type { Job } from '../../../controller/jobs/job.ts';
import type { StoredJob } from '../../../controller/jobs/stored-job.ts';
import type { Inventory } from '../../../controller/targeting/inventory.ts';
import { KickError } from '../../../errors.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Role } from '../../api/route.ts';
import { NO_SELECTION } from '../choices.ts';
import { type Caller, isAtLeast } from './caller.ts';

/** Throws `ApiProblem` `not-allowed` with the rule's name. */
export function checkRole(caller: Caller, least: Role): void {
  if (isAtLeast(caller.role, least)) return;
  throw new ApiProblem('not-allowed', `role: it needs ${least}, and ${caller.name} is ${caller.role}`);
}

/** Throws `ApiProblem` `not-allowed` for options that the role does not allow. */
export function checkAction({ limits, name }: Caller, action: Job['action']): void {
  for (const { noopOnly, environments } of limits) {
    if (noopOnly === true && action.noop !== true) {
      throw new ApiProblem('not-allowed', `noop only: ${name} may run Puppet with noop: true`);
    }
    if (environments === undefined || environments.includes(action.environment ?? '')) continue;
    throw new ApiProblem('not-allowed', `environments: ${name} may use ${environments.join(', ')}`, {
      hint: 'name one of them: action.environment',
    });
  }
}

/** Disabling, enabling and cancelling stop everybody's runs. */
export function checkOrders({ limits, name }: Caller): void {
  const isNarrow = limits.some((one) => one.noopOnly === true || one.environments !== undefined);
  if (isNarrow) throw new ApiProblem('not-allowed', `orders: ${name} may only run Puppet`);
}

export function isLimited({ limits }: Pick<Caller, 'limits'>): boolean {
  return limits.some((one) => Object.keys(one).length > 0);
}

/** Somebody with limits orders about only what they started themselves, here: a Unix user of their name is somebody else. */
export function checkOwnJob(caller: Caller, { job: { by }, settings: { account } }: StoredJob): void {
  if (!isLimited(caller) || account === caller.name) return;
  throw new ApiProblem('not-allowed', `own jobs: ${by.user} started this one, and ${caller.name} has limits`);
}

/** And only what they could start now: a token may have less than its owner, and the role may be a smaller one by now. */
export async function checkJob(caller: Caller, stored: StoredJob, controller: Controller): Promise<void> {
  const { job } = stored;
  checkOwnJob(caller, stored);
  checkAction(caller, job.action);
  await checkHosts(caller, job.targets, controller);
}

/** What is left of a choice; the hosts that are not allowed are out, and say why. */
export async function cutTo(caller: Caller, hosts: Hosts, controller: Controller): Promise<Hosts> {
  let cut = hosts;
  for (const { hosts: expression } of caller.limits) {
    if (expression !== undefined) cut = await keep(cut, expression, { caller, controller });
  }
  return cut;
}

/** Throws `ApiProblem` `not-allowed`. */
export function checkCount({ limits, name }: Caller, count: number): void {
  for (const { maxHosts } of limits) {
    if (maxHosts === undefined || count <= maxHosts) continue;
    throw new ApiProblem(
      'not-allowed',
      `at most ${maxHosts} ${maxHosts === 1 ? 'host' : 'hosts'}: ${name} chose ${count}`,
    );
  }
}

/** All of the hosts of a job that exists already. Throws `ApiProblem` `not-allowed`. */
export async function checkHosts(
  caller: Caller,
  targets: Job['targets'],
  controller: Controller,
): Promise<void> {
  checkCount(caller, targets.length);
  for (const { hosts: expression } of caller.limits) {
    if (expression === undefined) continue;
    const allowed = await hostsOf(expression, await controller.inventory(), controller);
    const [other] = targets.filter(({ certname }) => !allowed.has(certname));
    if (other === undefined) continue;
    throw new ApiProblem(
      'not-allowed',
      `hosts: ${caller.name} may use ${expression}, and ${other.certname} is not among them`,
    );
  }
}

/** Whether somebody may look at some hosts only. */
export function seesSome({ limits }: Pick<Caller, 'limits'>): boolean {
  return limits.some(({ hosts }) => hosts !== undefined);
}

/** Whether somebody may look at what became of a host. */
export async function sightOf(
  { limits }: Pick<Caller, 'limits'>,
  controller: Controller,
): Promise<(certname: string) => boolean> {
  const expressions = limits.map(({ hosts }) => hosts).filter((one) => one !== undefined);
  if (expressions.length === 0) return () => true;
  const inventory = await controller.inventory();
  const sets = await Promise.all(expressions.map((one) => hostsOf(one, inventory, controller)));
  return (certname) => sets.every((allowed) => allowed.has(certname));
}

async function keep(
  hosts: Hosts,
  expression: string,
  { caller, controller }: { caller: Caller; controller: Controller },
): Promise<Hosts> {
  const allowed = await hostsOf(expression, hosts.inventory, controller);
  const targets = hosts.targets.filter(({ certname }) => allowed.has(certname));
  if (targets.length === 0 && hosts.targets.length > 0) {
    throw new ApiProblem(
      'not-allowed',
      `hosts: ${caller.name} may use ${expression}, and none of these is among them`,
    );
  }
  const why = `${caller.name} may use ${expression}`;
  const { discovery } = hosts;
  const explained = () =>
    hosts
      .explained()
      // Whom nobody has named is nobody's business.
      .filter(({ certname }) => discovery === undefined || allowed.has(certname))
      .map((one) =>
        one.isIn && !allowed.has(one.certname)
          ? { ...one, isIn: false, because: [...one.because, why] }
          : one,
      );
  const unanswered = hosts.unanswered.filter(({ target }) => allowed.has(target.certname));
  const cut = { ...hosts, targets, explained, unanswered };
  if (discovery === undefined) return cut;
  const { expected: _expected, silent, ...note } = discovery;
  return { ...cut, discovery: { ...note, silent: silent.filter((certname) => allowed.has(certname)) } };
}

async function hostsOf(
  expression: string,
  inventory: Inventory,
  controller: Controller,
): Promise<Set<string>> {
  try {
    const named = [{ text: expression, origin: 'the limits of the role' }];
    const selection = { ...NO_SELECTION, named, includeMaintenance: true };
    const { targets } = await controller.choose(selection, { inventory });
    return new Set(targets.map(({ certname }) => certname));
  } catch (error) {
    if (error instanceof KickError && error.code === 'usage') return new Set();
    throw error;
  }
}
