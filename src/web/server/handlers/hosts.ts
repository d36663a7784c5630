/** Which hosts a choice means. */

import { type FactPath, parseFactPath } from '../../../conditions/fact-condition.ts';
import { quoteName } from '../../../conditions/nodeset/expression.ts';
import type { Hosts } from '../../../controller/choose-hosts.ts';
import { KickError } from '../../../errors.ts';
import type { ChoiceWish } from '../../api/choice.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Caller } from '../access/caller.ts';
import { cutTo, seesSome } from '../access/may.ts';
import { chooseHosts } from '../choices.ts';
import type { Handlers, ServerContext } from '../context.ts';
import { stateLineOf, within } from './host-view.ts';
import { hostOf, lineOf, withoutTotals } from './job-view.ts';

const JOBS_OF_HOST = 20;
const DAY_MS = 86_400_000;

export function hostHandlers(context: ServerContext): Handlers<'resolveHosts' | 'listGroups' | 'getHost'> {
  const { controller } = context;
  return {
    async resolveHosts({ body }, caller) {
      const { hosts, warnings } = await allowedHosts(context, body.choice, { caller, isLook: true });
      return {
        chosen: hosts.targets.length,
        hosts: hosts.explained().map((one) => ({ ...one, because: [...one.because] })),
        maintenance: hosts.maintenance,
        unanswered: unansweredOf(hosts),
        ...(hosts.discovery !== undefined && { discovery: hosts.discovery }),
        warnings,
        ...(body.facets !== undefined && (await facetsOf(context, hosts, { facts: body.facets, warnings }))),
      };
    },
    async getHost({ params: { certname } }, caller) {
      const { hosts, warnings } = await oneHost(context, certname, caller);
      const [[answer], patients, { jobs, isCut }] = await Promise.all([
        controller.status(hosts, within()),
        controller.doctor(hosts, within()),
        controller.jobsOfHost(certname, { count: JOBS_OF_HOST }),
      ]);
      const { findings = [], vitals } = patients.find((one) => one.certname === certname) ?? {};
      const msLeft = vitals?.certificateMsLeft;
      const inventory = hosts.inventory.groups.values();
      return {
        certname,
        now: answer === undefined ? { certname, state: 'no answer' } : stateLineOf(answer),
        findings: findings.map((one) => ({ ...one })),
        ...(msLeft !== undefined && { certificateDays: Math.floor(msLeft / DAY_MS) }),
        groups: [...inventory].filter((one) => one.hosts.includes(certname)).map(({ name }) => name),
        jobs: jobs.map(({ job, result }) => ({ job: lineFor(job, caller), host: hostOf(certname, result) })),
        isCut,
        warnings,
      };
    },
    async listGroups() {
      const { groups } = await controller.inventory();
      const { nats } = await controller.config();
      return {
        discovery: nats !== undefined,
        groups: [...groups.values()].map(({ name, concurrency }) => ({
          name,
          ...(concurrency !== undefined && { concurrency }),
        })),
      };
    },
  };
}

const lineFor = (job: Parameters<typeof lineOf>[0], caller: Caller) =>
  seesSome(caller) ? withoutTotals(lineOf(job)) : lineOf(job);

/** Whatever characters its name has. Throws `ApiProblem` `not-found`. */
async function oneHost(context: ServerContext, certname: string, caller: Caller) {
  const choice = { hosts: [quoteName(certname)], includeMaintenance: true };
  try {
    return await allowedHosts(context, choice, { caller, isLook: true });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== 'bad-choice') throw error;
    throw new ApiProblem('not-found', error.message, { hint: error.options.hint });
  }
}

/** Never fails for want of PuppetDB: `warnings` gets why something is left out. */
async function facetsOf(
  { controller }: ServerContext,
  hosts: Hosts,
  { facts, warnings }: { facts: readonly string[]; warnings: string[] },
) {
  const wanted = facts.map((name) => ({ name, path: factPathOf(name) }));
  const { facets, warnings: more } = await controller.facets(hosts, wanted);
  warnings.push(...more);
  return { facets };
}

/** Throws `ApiProblem` `bad-choice`. */
function factPathOf(name: string): FactPath {
  try {
    return parseFactPath(name);
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    throw new ApiProblem('bad-choice', error.message);
  }
}

/** The hosts of a choice, cut to what the caller may use. */
export async function allowedHosts(
  { controller }: Pick<ServerContext, 'controller'>,
  wish: ChoiceWish,
  { caller, isLook = false }: { caller: Caller; isLook?: boolean },
): Promise<{ hosts: Hosts; warnings: string[] }> {
  const { hosts, warnings } = await chooseHosts(controller, wish, { isLook });
  const cut = await cutTo(caller, hosts, controller);
  const lost = hosts.targets.length - cut.targets.length;
  return {
    hosts: cut,
    warnings:
      lost === 0 ? warnings : [...warnings, `${lost} of the chosen hosts are not allowed to ${caller.name}`],
  };
}

export function unansweredOf({
  unanswered,
}: Pick<Hosts, 'unanswered'>): { certname: string; error: string }[] {
  return unanswered.map(({ target, error = 'no answer' }) => ({ certname: target.certname, error }));
}
