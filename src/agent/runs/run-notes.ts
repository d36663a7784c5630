/** Notes on a successful run that may not have done what people think, added to its outcome. */
import type { RunAction } from '../../protocol/request.ts';
import { plural } from '../../util/text.ts';
import type { ReportHead } from '../puppet/report.ts';
import type { SiteSettings } from './run-record.ts';

export interface NotedRun {
  action: RunAction;
  report: ReportHead;
  /** Absent if not known, as for `puppet apply`. */
  site?: SiteSettings | undefined;
}

/** Returns the notes; none if there is nothing to say. */
export function notesOf(run: NotedRun): string[] {
  return [noopNote(run), skippedNote(run), environmentNote(run)].flatMap((note) => note ?? []);
}

function noopNote({ action, report, site }: NotedRun): string | undefined {
  if (report.noop !== true || action.noop !== undefined) return undefined;
  return `the host's ${whereOf('noop', site)} says noop: --no-noop applies`;
}

/** All resources were skipped, or some without the request asking for it. */
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
 * If a host's environment does not exist, Puppet uses `production` without an error. The same happens, rightly, if a node
 * classifier chooses the environment; the two cannot be distinguished here.
 */
function environmentNote({ action, report, site }: NotedRun): string | undefined {
  const said = action.environment === undefined ? otherEnvironment(site?.environment, report) : undefined;
  if (said === undefined) return undefined;
  const where = whereOf('environment', site);
  return `the host's ${where} says environment = ${said}, but the run used ${report.environment}`;
}

/** The environment in the settings, if there is one and the run used another. */
export function otherEnvironment(
  said: string | undefined,
  { environment }: Pick<ReportHead, 'environment'>,
): string | undefined {
  const used = environment ?? '';
  // Puppet's default is `production`.
  const isSaid = said !== undefined && said !== '' && said !== 'production';
  return isSaid && used !== '' && used !== said ? said : undefined;
}

function whereOf(name: string, site: SiteSettings | undefined): string {
  return site?.inOptions.includes(name) === true ? 'PUPPET_EXTRA_OPTS' : 'puppet.conf';
}
