/** A choice of hosts: from the body of a request to the controller's selection. */
import { randomBytes } from 'node:crypto';
import { parseFactCondition } from '../../conditions/fact-condition.ts';
import type { Hosts } from '../../controller/choose-hosts.ts';
import type { Controller } from '../../controller/controller.ts';
import { ALL } from '../../controller/targeting/inventory.ts';
import type { Selection } from '../../controller/targeting/selection.ts';
import { KickError } from '../../errors.ts';
import { parseShare } from '../../util/share.ts';
import type { ChoiceWish } from '../api/choice.ts';
import { ApiProblem } from '../api/problem.ts';

/** As on the command line. */
const OLDER_THAN_MS = 7_200_000;

export const NO_SELECTION: Selection = {
  named: [],
  exclude: [],
  all: false,
  queries: [],
  facts: [],
  classes: [],
  last: [],
  olderThanMs: OLDER_THAN_MS,
  seed: '',
  includeMaintenance: false,
};

export interface ChosenHosts {
  hosts: Hosts;
  warnings: string[];
}

/**
 * `isLook`: nothing will be done to them, so that all hosts may be those of the inventory while PuppetDB cannot be asked.
 * Throws `ApiProblem` `bad-choice` for a choice that is empty or cannot be read.
 */
export async function chooseHosts(
  controller: Controller,
  wish: ChoiceWish,
  { isLook = false } = {},
): Promise<ChosenHosts> {
  const warnings: string[] = [];
  checkChoice(wish);
  try {
    const inventory = await controller.inventory();
    for (const { text } of inventory.warnings.slice(0, 20)) warnings.push(text);
    const selection = selectionOf(wish);
    const options = { inventory, warn: (message: string) => void warnings.push(message) };
    try {
      return { hosts: await controller.choose(selection, options), warnings };
    } catch (error) {
      const isDown = error instanceof KickError && error.code === 'puppetdb';
      if (!isDown || !isLook || !selection.all || !inventory.listsTargets) throw error;
      warnings.push(`these are the hosts of the inventory only: ${error.message}`);
      const named = [...selection.named, { text: `@${ALL}`, origin: 'all' }];
      return { hosts: await controller.choose({ ...selection, all: false, named }, options), warnings };
    }
  } catch (error) {
    if (!(error instanceof KickError) || error.code !== 'usage') throw error;
    throw badChoice(error.message, error.hint);
  }
}

/** Throws `ApiProblem` `bad-choice` for one that names nobody, `KickError` `usage` for a condition that cannot be read. */
export function checkChoice(wish: ChoiceWish): void {
  const { hosts = [], queries = [], facts = [], classes = [], last = [] } = wish;
  const isEmpty = [hosts, queries, facts, classes, last].every(({ length }) => length === 0);
  if (isEmpty && wish.all !== true && wish.discover !== true) {
    throw badChoice(
      'choose the hosts: nobody is named',
      '{"hosts": ["web1.example.com", "@dmz"]} or {"all": true}',
    );
  }
  selectionOf(wish);
}

/** With the field that the message speaks of, by the name that `selectionOf` gives it. */
function badChoice(message: string, hint: string | undefined): ApiProblem {
  const [field] = /\b(?:hosts|exclude)\.\d+/.exec(message) ?? [];
  const path = field === undefined ? 'body.choice' : `body.choice.${field}`;
  return new ApiProblem('bad-choice', message, { hint, errors: [{ path, message }] });
}

/** Throws `KickError` `usage` for a condition that cannot be read. */
export function selectionOf(wish: ChoiceWish): Selection {
  const { hosts = [], exclude = [], queries = [], facts = [], classes = [], last = [], olderThan } = wish;
  return {
    named: hosts.map((text, index) => ({ text, origin: `hosts.${index}` })),
    exclude: exclude.map((text, index) => ({ text, origin: `exclude.${index}` })),
    all: wish.all === true,
    queries,
    facts: facts.map(parseFactCondition),
    classes,
    last,
    olderThanMs: olderThan === undefined ? OLDER_THAN_MS : olderThan * 1000,
    limit: wish.limit === undefined ? undefined : parseShare(wish.limit),
    seed: wish.seed ?? randomBytes(4).toString('hex'),
    includeMaintenance: wish.includeMaintenance === true,
    ...(wish.discover === true && { discover: {} }),
  };
}
