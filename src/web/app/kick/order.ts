/** What somebody is about to ask for, as the fields of the page hold it, and as the API takes it. */
import type { ChoiceWish } from '../../api/choice.ts';
import type { JobWish } from '../api/queries.ts';

export type LastRun = 'failed' | 'changed' | 'unchanged' | 'stale';
export const LAST_RUNS: readonly LastRun[] = ['failed', 'changed', 'unchanged', 'stale'];

export interface Order {
  hosts: string;
  all: boolean;
  /** Only hosts that answer through the broker. */
  discover: boolean;
  exclude: string;
  facts: string;
  classes: string;
  last: LastRun[];
  /** Hosts whose latest report is of this environment. */
  reported: string;
  limit: string;
  /** Certnames that were unticked. */
  unticked: string[];
  mode: 'run' | 'noop' | 'own';
  tags: string;
  skipTags: string;
  environment: string;
  showDiff: boolean;
  debug: boolean;
  ignoreschedules: boolean;
  useCachedCatalog: boolean;
  rollout: 'once' | 'canary' | 'batches';
  canary: string;
  batches: string;
  confirm: boolean;
  pause: string;
  maxFailures: string;
  concurrency: string;
  reason: string;
}

export const NEW_ORDER: Order = {
  hosts: '',
  all: false,
  discover: false,
  exclude: '',
  facts: '',
  classes: '',
  last: [],
  reported: '',
  limit: '',
  unticked: [],
  // As on the command line: a host that is set to noop is not overruled unless somebody says so.
  mode: 'own',
  tags: '',
  skipTags: '',
  environment: '',
  showDiff: false,
  debug: false,
  ignoreschedules: false,
  useCachedCatalog: false,
  rollout: 'once',
  canary: '1',
  batches: '10%',
  confirm: false,
  pause: '',
  maxFailures: '',
  concurrency: '',
  reason: '',
};

export type SetOrder = (change: Partial<Order>) => void;

/** Hosts that were found by a look, and with which catalogs. */
export interface Looked {
  job: string;
  certnames: readonly string[];
  versions: readonly string[];
  /** Hosts on which Puppet has run since with another one. */
  newer: readonly { certname: string; version: string }[];
}

/** Undefined: nothing is chosen yet. */
export function choiceOf(order: Order, looked?: Looked): ChoiceWish | undefined {
  const hosts = looked === undefined ? words(order.hosts) : inParts(looked.certnames);
  const [facts, classes] = [words(order.facts), words(order.classes)];
  const { all, discover, last, limit, reported } = order;
  if (
    hosts.length + facts.length + classes.length + last.length === 0 &&
    !all &&
    !discover &&
    reported === ''
  )
    return undefined;
  const exclude = words(order.exclude);
  return {
    ...(hosts.length > 0 && { hosts }),
    ...(all && looked === undefined && { all }),
    ...(discover && looked === undefined && { discover }),
    ...(exclude.length > 0 && { exclude }),
    ...(facts.length > 0 && { facts }),
    ...(classes.length > 0 && { classes }),
    ...(last.length > 0 && { last }),
    ...(reported !== '' && { queries: [`nodes[certname]{ report_environment = "${reported}" }`] }),
    // The same hosts are drawn in the preview and in the job.
    ...(limit.trim() !== '' && { limit: limit.trim(), seed: 'page' }),
  };
}

/** With those left out that were unticked. */
function withoutUnticked(choice: ChoiceWish, { unticked }: Order): ChoiceWish {
  if (unticked.length === 0) return choice;
  return { ...choice, exclude: [...(choice.exclude ?? []), ...inParts(unticked)] };
}

export function wishOf(order: Order, looked: Looked | undefined, dryRun: boolean): JobWish {
  const choice = withoutUnticked(choiceOf(order, looked) ?? {}, order);
  const reason = order.reason.trim();
  const concurrency = numberOf(order.concurrency);
  return {
    choice,
    action: actionOf(order),
    rollout: rolloutOf(order, looked),
    ...(reason !== '' && { reason }),
    ...(concurrency !== undefined && { concurrency }),
    dryRun,
  };
}

function actionOf(order: Order): NonNullable<JobWish['action']> {
  const [tags, skipTags, environment] = [words(order.tags), words(order.skipTags), order.environment.trim()];
  return {
    ...(order.mode !== 'own' && { noop: order.mode === 'noop' }),
    ...(tags.length > 0 && { tags }),
    ...(skipTags.length > 0 && { skipTags }),
    ...(environment !== '' && { environment }),
    ...(order.showDiff && { showDiff: true }),
    ...(order.debug && { debug: true }),
    ...(order.ignoreschedules && { ignoreschedules: true }),
    ...(order.useCachedCatalog && { useCachedCatalog: true }),
  };
}

function rolloutOf(order: Order, looked: Looked | undefined): NonNullable<JobWish['rollout']> {
  const [canary, pause] = [numberOf(order.canary), numberOf(order.pause)];
  const batches = words(order.batches);
  const maxFailures = order.maxFailures.trim();
  const [version] = looked?.versions.length === 1 ? looked.versions : [];
  const inSteps = order.rollout !== 'once';
  return {
    ...(order.rollout === 'canary' && canary !== undefined && { canary }),
    ...(order.rollout === 'batches' && batches.length > 0 && { batches }),
    ...(inSteps && pause !== undefined && { pause }),
    ...(inSteps && order.confirm && { confirm: true }),
    ...(maxFailures !== '' && { maxFailures }),
    ...(version !== undefined && order.mode !== 'noop' && { expectVersion: version }),
  };
}

/**
 * The version of a catalog where it says from which code it was compiled. Without `config_version` Puppet takes the time
 * instead, in seconds, and each catalog has another (lib/puppet/resource/type_collection.rb, version).
 */
export function codeVersion(version: string | undefined): string | undefined {
  return version === undefined || /^\d{10}$/.test(version) ? undefined : version;
}

/** Texts between spaces and commas; a comma in brackets belongs to a mask: web[1,3]. */
export function words(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]?|[^\s,[])+/g) ?? [];
}

const PART = 500;

/** Names in lists, each below what one text of the API may hold. */
export function inParts(names: readonly string[]): string[] {
  const parts: string[] = [];
  for (let at = 0; at < names.length; at += PART) parts.push(names.slice(at, at + PART).join(','));
  return parts;
}

/** NaN for what is no number: the API says so at the field. */
function numberOf(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text);
}
