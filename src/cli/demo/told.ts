/** What simulated runs tell of themselves, where they do: what they changed, their log, their catalog. */
import type { LogLine, ResourceChange, ResourceEvent, RunFacts } from '../../protocol/event.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { Ending, Random } from './run-shape.ts';

/** Of the catalogs of an environment. */
const versionOf = (environment: string) => `${environment}-4be1f7a`;
const CODE = '/etc/puppetlabs/code/environments/production/modules';

const changed = (resource: string, file: string, events: ResourceChange['events']): ResourceChange => ({
  ...{ resource, status: 'changed', file: `${CODE}/${file}`, line: 20 + (file.length % 40) },
  events,
});

const event = (property: string, old: string, next: string): ResourceEvent => ({
  ...{ property, status: 'success', old, new: next },
  message: `${property} changed '${old}' to '${next}'`,
});

/** One of them is what a host's run changes. */
const CHANGES: readonly (readonly ResourceChange[])[] = [
  [
    changed('File[/etc/nginx/conf.d/gzip.conf]', 'profile/manifests/web.pp', [
      event('content', '{sha256}4e07408562bedb8b', '{sha256}ef2d127de37b942b'),
    ]),
    changed('Service[nginx]', 'profile/manifests/web.pp', [
      { status: 'success', message: "Triggered 'refresh' from 1 event" },
    ]),
  ],
  [
    changed('Package[openssl]', 'profile/manifests/base.pp', [
      event('ensure', '3.5.7-1~deb13u1', '3.5.8-1~deb13u1'),
    ]),
  ],
  [
    {
      ...changed('File[/etc/ssh/sshd_config]', 'profile/manifests/ssh.pp', [event('mode', '0644', '0600')]),
      corrective: true,
    },
  ],
  [
    changed('User[deploy]', 'profile/manifests/deploy.pp', [
      event('shell', '/bin/sh', '/usr/sbin/nologin'),
      event('groups', 'deploy,sudo', 'deploy'),
    ]),
    changed('File[/etc/sudoers.d/deploy]', 'profile/manifests/deploy.pp', [
      event('ensure', 'file', 'absent'),
    ]),
  ],
];

/** As Puppet prints it with show_diff: one record of several lines. */
const DIFF = ['@@ -1,3 +1,3 @@', ' gzip on;', '-gzip_comp_level 1;', '+gzip_comp_level 5;', ' gzip_vary on;'];

const diffOf = ({ resource }: ResourceChange): LogLine => {
  const path = /\[(.*)\]/.exec(resource)?.[1] ?? resource;
  const lines = [
    '',
    `--- ${path}\t2026-11-02 09:12:44`,
    `+++ /tmp/puppet-file\t2026-11-27 14:03:10`,
    ...DIFF,
  ];
  return { level: 'notice', source: `/Stage[main]/Profile/${resource}/content`, message: lines.join('\n') };
};

const FAILED: ResourceChange = {
  ...{ resource: 'Service[chronyd]', status: 'failed', file: `${CODE}/profile/manifests/time.pp`, line: 31 },
  events: [
    {
      ...{ property: 'ensure', status: 'failure', old: 'stopped', new: 'running' },
      message: 'Systemd start for chronyd failed! journalctl: Could not open /etc/chrony.keys',
    },
  ],
};

/** What a run that has failed says. */
export const FAILURE = { message: 'Systemd start for chronyd failed!', source: 'Service[chronyd]' } as const;

export interface Told {
  outcome: Ending;
  facts: RunFacts;
  resources: ResourceChange[];
  log: LogLine[];
}

/** A run that was asked to change nothing would have changed what it would change, and the other way round. */
export function toldOf(drawn: Ending, action: Pick<RunAction, 'noop' | 'environment'>, random: Random): Told {
  const { noop, environment = 'production' } = action;
  const outcome = noop === true && drawn === 'changed' ? 'would-change' : drawn;
  const real = noop !== true && outcome === 'would-change' ? 'changed' : outcome;
  const set = CHANGES[Math.floor(random() * random() * CHANGES.length)] ?? [];
  const resources = resourcesOf(real, set);
  const isCorrective = resources.some(({ corrective }) => corrective === true);
  return {
    outcome: real,
    facts: {
      ...{ configurationVersion: versionOf(environment), environment },
      ...(noop !== undefined && { noop }),
      ...(isCorrective && { correctiveChange: true }),
    },
    resources,
    log: logOf(resources, environment),
  };
}

function resourcesOf(outcome: Ending, set: readonly ResourceChange[]): ResourceChange[] {
  if (outcome === 'changed') return [...set];
  if (outcome === 'would-change') return set.map(pending);
  return outcome === 'failed' ? [FAILED] : [];
}

function pending(resource: ResourceChange): ResourceChange {
  const events = resource.events.map((one) => ({ ...one, status: 'noop' as const }));
  return { ...resource, status: 'pending', events };
}

function logOf(resources: readonly ResourceChange[], environment: string): LogLine[] {
  const info = (message: string): LogLine => ({ level: 'info', message });
  const told = resources.flatMap(({ resource, status, events, file, line }) =>
    events.map(
      ({ property, message = '' }): LogLine => ({
        level: status === 'failed' ? 'err' : 'notice',
        source: `/Stage[main]/Profile/${resource}${property === undefined ? '' : `/${property}`}`,
        message: status === 'pending' ? `current_value differs, should change (noop): ${message}` : message,
        ...(status === 'failed' && { file, line }),
      }),
    ),
  );
  const files = resources.filter(({ events }) => events.some(({ property }) => property === 'content'));
  return [
    info('Retrieving pluginfacts'),
    info('Retrieving plugin'),
    info(`Using environment '${environment}'`),
    info(`Applying configuration version '${versionOf(environment)}'`),
    ...files.map(diffOf),
    ...told,
    { level: 'notice', message: 'Applied catalog' },
  ];
}
