/** What a run that went well did otherwise than people may think: sentences beside its outcome. */
import type { RunAction } from '../../protocol/request.ts';
import { plural } from '../../util/text.ts';
import type { ReportHead } from '../puppet/report.ts';
import type { SiteSettings } from './run-record.ts';

export interface NotedRun {
  action: RunAction;
  report: ReportHead;
  /** Absent: not known, as for `puppet apply`. */
  site?: SiteSettings | undefined;
}

/** None where there is nothing to say. */
export function notesOf(run: NotedRun): string[] {
  return [noopNote(run), skippedNote(run), environmentNote(run)].flatMap((note) => note ?? []);
}

function noopNote({ action, report, site }: NotedRun): string | undefined {
  if (report.noop !== true || action.noop !== undefined) return undefined;
  return `the host's ${whereOf('noop', site)} says noop: --no-noop applies`;
}

/** Nothing of a catalog was looked at, or less than all of it though the request did not ask for that. */
function skippedNote({ action, report, site }: NotedRun): string | undefined {
  const { total = 0, skipped = 0 } = report.resources ?? {};
  const own = [...ownTags('tags', action.tags, site), ...ownTags('skip_tags', action.skipTags, site)];
  if (skipped === 0 || (skipped < total && own.length === 0)) return undefined;
  const asked = [
    ...(action.tags === undefined ? [] : [`--tags ${action.tags.join(',')}`]),
    ...(action.skipTags === undefined ? [] : [`--skip_tags ${action.skipTags.join(',')}`]),
  ];
  const fact = `${skipped} of ${plural(total, 'resource')} ${skipped === 1 ? 'was' : 'were'} skipped`;
  const why = [...asked, ...own].join(', ');
  return why === '' ? fact : `${fact} (${why})`;
}

/** A request's own tags replace those of the host. */
function ownTags(
  name: 'tags' | 'skip_tags',
  asked: readonly string[] | undefined,
  site: SiteSettings | undefined,
): string[] {
  const value = name === 'tags' ? site?.tags : site?.skipTags;
  if (asked !== undefined || value === undefined || value === '') return [];
  return [`the host's ${whereOf(name, site)} says ${name} = ${value}`];
}

/**
 * A host whose environment does not exist runs `production`, without an error of Puppet's; the same is right where a
 * node classifier chooses the environment, and nothing here tells the one from the other.
 */
function environmentNote({ action, report, site }: NotedRun): string | undefined {
  const said = action.environment === undefined ? otherEnvironment(site?.environment, report) : undefined;
  if (said === undefined) return undefined;
  const where = whereOf('environment', site);
  return `the host's ${where} says environment = ${said}, but the run used ${report.environment}`;
}

/** What the settings say, where they say anything and the run used another. */
export function otherEnvironment(
  said: string | undefined,
  { environment }: Pick<ReportHead, 'environment'>,
): string | undefined {
  const used = environment ?? '';
  // Where nothing is said, Puppet tells `production`.
  const isSaid = said !== undefined && said !== '' && said !== 'production';
  return isSaid && used !== '' && used !== said ? said : undefined;
}

function whereOf(name: string, site: SiteSettings | undefined): string {
  return site?.inOptions.includes(name) === true ? 'PUPPET_EXTRA_OPTS' : 'puppet.conf';
}
