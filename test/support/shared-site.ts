/** A site whose jobs belong to another user, as that of packaging/systemd/kick-serve.service does. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, ended, startKick } from './kick.ts';
import { giveAway } from './other-user.ts';
import { realSite, type Site } from './real-site.ts';

/** A user of every Debian that is not root. */
export const SERVER_USER = Number(/^daemon:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1]);

export const STARTER = ['setpriv', `--reuid=${SERVER_USER}`, `--regid=${SERVER_USER}`, '--clear-groups'];

export interface SharedSite extends Omit<Site, 'kick'> {
  readonly stateDir: string;
  /** Root's kick, to its end: a process of its own, since it becomes the other user. */
  root(...words: string[]): Promise<Ended>;
  /** The other user's. */
  asServer: Pick<Site, 'env' | 'start' | 'kick'>;
}

export async function sharedSite(count: number, script: string): Promise<SharedSite> {
  const site = await realSite(count, () => script);
  site.controllerYaml({ puppetdb: false });
  const stateDir = site.env['KICK_STATE_DIR'] ?? '';
  chmodSync(site.folder, 0o755);
  makeShared(stateDir);
  // In place of LoadCredential=: root's own key is not readable for others.
  const credentials = join(site.folder, 'credentials');
  cpSync(join(site.folder, 'pki'), credentials, { recursive: true });
  execFileSync('chown', ['-R', String(SERVER_USER), credentials]);
  const env = { ...site.env, KICK_PKI_DIR: credentials };
  const start = (...words: string[]) => startKick(words, { env, cwd: '/', starter: STARTER });
  return {
    ...site,
    stateDir,
    root: (...words) => ended(startKick(words, { env: site.env })),
    asServer: { env, start, kick: (...words) => ended(start(...words)) },
  };
}

/** The folders as systemd makes them for the unit. */
export function makeShared(stateDir: string): void {
  mkdirSync(stateDir, { mode: 0o711 });
  for (const name of ['jobs', 'locks', 'web']) {
    mkdirSync(join(stateDir, name), { mode: 0o700 });
    giveAway(join(stateDir, name), SERVER_USER);
  }
}
