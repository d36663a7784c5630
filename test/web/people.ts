/** Accounts with a password whose hash is cheap: what `kick user add` writes costs a third of a second to check. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../../src/web/api/access.ts';
import type { Role } from '../../src/web/api/route.ts';
import type { Site } from '../support/real-site.ts';

/** Of `PASSWORD`, with little work. */
const HASH = '$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$LYtM8Mh+uD5qDLQWvjcUOTNEVL2STXzMHwI4lieKYvI';

export type People = Readonly<Record<string, { role: Role; limits?: Limits }>>;

/** Replaces all accounts. */
export function writePeople(site: Pick<Site, 'env'>, people: People, { createdAt = 0 } = {}): void {
  const items = Object.entries(people).map(([name, { role, limits = {} }]) => ({
    ...{ name, role, limits, password: HASH, createdAt, passwordAt: createdAt },
  }));
  const dir = join(site.env['KICK_STATE_DIR'] ?? '', 'web');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, 'accounts.json'), JSON.stringify({ v: 1, items }), { mode: 0o600 });
}
