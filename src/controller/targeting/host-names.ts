/** Which hosts a name or a mask in an expression means. */

import type { Members, Scope } from '../../conditions/nodeset/evaluate.ts';
import { KickError } from '../../errors.ts';
import { isCertname } from '../../protocol/names.ts';
import { clip } from '../../util/text.ts';
import { certnameIn, type Inventory } from './inventory.ts';

/** `domain`: added to a name without a dot that the inventory does not know. */
export function hostReader({
  inventory,
  domain,
}: {
  inventory: Inventory;
  domain?: string | undefined;
}): Scope['host'] {
  return (name, { isQuoted, text }) => {
    if (isQuoted === true) return name;
    const known = certnameIn(inventory, name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase().replace(/\.$/, '');
    const full = lower.includes('.') || domain === undefined ? lower : `${lower}.${domain}`;
    const certname = certnameIn(inventory, lower) ?? certnameIn(inventory, full) ?? full;
    if (isCertname(certname)) return certname;
    throw new KickError(
      'usage',
      `read the host names: not a certname: ${JSON.stringify(clip(name, 80))} (in "${clip(text, 80)}")`,
      { hint: 'printable ASCII without "/", as "puppet config print certname" shows it' },
    );
  };
}

/** `masked`: the hosts that masks are tried on. */
export function maskReader({
  masked,
  domain,
}: {
  masked(): Promise<Members>;
  domain?: string | undefined;
}): Scope['matching'] {
  return async (mask, { kind, text }) => {
    if (kind === 'pattern') return fitting(mask, text, await masked());
    const { globTest } = await import('../../conditions/nodeset/mask.ts');
    const lower = mask.toLowerCase();
    const fits = globTest(lower);
    // A short mask means the short names of our domain, as a short name does.
    const fitsShort =
      mask.includes('.') || domain === undefined ? () => false : globTest(`${lower}.${domain}`);
    return [...(await masked())].filter((name) => fits(name) || fitsShort(name));
  };
}

/** Throws `KickError` `usage` for a regular expression that takes too long. */
async function fitting(pattern: string, text: string, hosts: Members): Promise<Set<string>> {
  const { textsThatFit } = await import('../../conditions/fact-patterns.ts');
  const what = `read the hosts of ${clip(text, 200)}`;
  return textsThatFit({ text, value: pattern }, new Set(hosts), { what });
}
