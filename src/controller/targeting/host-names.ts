/** Which host a name in an expression means. */
import type { Scope } from '../../conditions/nodeset/evaluate.ts';
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
