/** A host whose runs are those of a real `puppet agent`: its lock, its report, its exit code. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../installed.ts';
import type { MintedCa } from '../mint/mint-ca.ts';
import { diskOf } from './host.ts';
import { type CatalogPlan, PUPPET_SERVER, type PuppetServer } from './puppet-server.ts';

/** Why no host can be one; undefined if it can. */
export const whyNoPuppet = () =>
  isInstalled('puppet') ? undefined : 'puppet is not installed (apt-get install puppet-agent)';

export interface PuppetHost {
  /** The command that is `puppet` there. */
  readonly command: string;
  /** Puppet's own state: lock, report, summary, cached catalog. */
  readonly folder: string;
  readonly files: Readonly<Record<'lock' | 'report' | 'summary', string>>;
  readonly server: PuppetServer;
  /** When its report was last damaged: milliseconds since 1970. */
  readonly reportDamagedAt: number[];
}

export interface PuppetHostOptions {
  name: string;
  /** Of the host. */
  folder: string;
  /** Its Puppet writes there. */
  disk: string;
  journal: string;
  ca: MintedCa;
  server: PuppetServer;
}

const folderOf = (disk: string) => join(disk, 'puppet');
/** The file that catalogs manage. */
const managedIn = (disk: string) => join(disk, 'managed');

export function makePuppetHost(options: PuppetHostOptions): PuppetHost {
  const { name, folder, disk, journal, ca, server } = options;
  const [conf, ssl, vardir] = [join(folder, 'conf'), join(folder, 'ssl'), folderOf(disk)];
  const [command, alone] = [join(folder, 'puppet'), join(folder, 'alone')];
  const bin = join(folder, 'bin');
  for (const one of [conf, bin, join(vardir, 'state'), join(vardir, 'public')])
    mkdirSync(one, { recursive: true });
  ca.write(ssl, ca.issue(name, { role: 'agent' }));
  const settings = {
    ...{ vardir, ssldir: ssl, statedir: join(vardir, 'state'), publicdir: join(vardir, 'public') },
    ...{ rundir: join(vardir, 'run'), logdir: join(vardir, 'log'), codedir: join(conf, 'code') },
    ...{ certname: name, server: PUPPET_SERVER, serverport: server.port, pluginsync: false },
    ...{ logdest: join(vardir, 'puppet.log') },
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(join(conf, 'puppet.conf'), `[main]\n${lines.join('')}`);
  // To tell its version Facter loads all of Augeas, a quarter of a run, unless augparse tells it.
  writeScript(join(bin, 'augparse'), '#!/bin/sh\necho "augparse 1.14.0"\n');
  writeFileSync(alone, '');
  writeScript(command, puppetScript({ bin, conf, vardir, journal, alone }));
  writeScript(join(folder, 'noted'), notedScript({ managed: managedIn(disk), journal, alone }));
  const files = {
    lock: join(settings.statedir, 'agent_catalog_run.lock'),
    report: join(settings.statedir, 'last_run_report.yaml'),
    summary: join(settings.publicdir, 'last_run_summary.yaml'),
  };
  return { command, folder: vardir, files, server, reportDamagedAt: [] };
}

const writeScript = (path: string, text: string) => writeFileSync(path, text, { mode: 0o755 });

/** Prints when a process began; nothing if it has ended. */
const START_OF = `start_of() {
  read -r stat 2>/dev/null <"/proc/$1/stat" || return
  set -- \${stat##*) }
  [ "$1" = Z ] || [ "$1" = X ] || echo "\${20}"
}`;

/** `puppet` of this host. A run notes its begin, and whether another was alive: `alone` names the last one's process. */
const puppetScript = (paths: Record<'bin' | 'conf' | 'vardir' | 'journal' | 'alone', string>) => `#!/bin/sh
export PATH='${paths.bin}':"$PATH"
${START_OF}
sub=$1
shift
if [ "$sub" = agent ]; then
  run="$*"
  run=\${run##*--job-id }
  run=\${run%% *}
  exec 8>>'${paths.alone}'
  flock 8
  read -r pid start <'${paths.alone}'
  if [ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ]; then
    echo "not alone $run, but with $pid" >>'${paths.journal}'
  fi
  echo "begin $run $(date +%s%N)" >>'${paths.journal}'
  echo "$$ $(start_of $$)" >'${paths.alone}'
  exec 8>&-
fi
exec puppet "$sub" --confdir '${paths.conf}' --vardir '${paths.vardir}' "$@"
`;

/**
 * What the catalog runs before and after the file that it manages: the Puppet that applies it must be the one that began
 * last, and at the end the file must be this run's. Exit code 0: nothing is to be changed.
 */
const notedScript = (paths: Record<'managed' | 'journal' | 'alone', string>) => `#!/bin/sh
${START_OF}
when=$1 run=$2 does=$3
read -r pid start <'${paths.alone}'
if [ "$pid" != $PPID ] && [ $PPID != 1 ] && [ -n "$(start_of $PPID)" ]; then
  echo "not alone $run of $PPID, but with $pid" >>'${paths.journal}'
fi
if [ $(($$ % 3)) = 0 ]; then setsid sleep 1 >/dev/null 2>&1 & fi
i=$(($$ % 7))
while [ $i -gt 0 ]; do
  sleep 0.02
  i=$((i - 1))
done
if [ "$when" = before ]; then
  if [ "$does" = nothing ] && [ -n "$(start_of $PPID)" ]; then echo "$run" >'${paths.managed}'; fi
else
  [ "$(cat '${paths.managed}')" = "$run" ] || echo "not written $run" >>'${paths.journal}'
  echo "end $run" >>'${paths.journal}'
fi
[ "$does" = nothing ]
`;

const MANIFEST = `
exec { 'before': command => '/bin/true', unless => '/@FOLDER@/noted before @RUN@ @DOES@' }
-> file { '/@MANAGED@': content => "@RUN@\\n" }
-> exec { 'after': command => '/bin/@COMMAND@', unless => '/@FOLDER@/noted after @RUN@ @DOES@' }
`;

const ANY_HOST = 'host.example.com';
const PLACES = /@[A-Z]+@|\bhost\.example\.com\b/g;

/** Puppet's own compiler makes the catalog, once; `placeOf` tells where a host lies. */
export function catalogs(
  folder: string,
  placeOf: (certname: string) => string,
): (certname: string, plan: CatalogPlan) => string {
  mkdirSync(folder);
  const manifest = join(folder, 'site.pp');
  writeFileSync(manifest, MANIFEST);
  const words = [
    'catalog',
    'compile',
    ANY_HOST,
    '--manifest',
    manifest,
    '--render-as',
    'json',
    '--color=false',
  ];
  const said = execFileSync('puppet', [...words, '--confdir', folder, '--vardir', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const compiled = said.slice(said.search(/^\{/m));
  return (certname, { run, does }) => {
    const place = placeOf(certname);
    const values: Record<string, string> = {
      ...{ [ANY_HOST]: certname, '@FOLDER@': place.slice(1), '@MANAGED@': managedIn(diskOf(place)).slice(1) },
      ...{ '@RUN@': run, '@DOES@': does, '@COMMAND@': does === 'fail' ? 'false' : 'true' },
    };
    return compiled.replaceAll(PLACES, (word) => values[word] ?? word);
  };
}
