/** Other names of targets. As in Bolt, each means one target in the whole inventory. */

import { isBareName } from '../../../conditions/nodeset/expression.ts';
import { certnameIn } from '../inventory.ts';
import { type Entry, type HostDraft, isPlugin, pluginText, type Reading } from './draft.ts';

export function readAliases(reading: Reading, { value, path, host }: Entry & { host: HostDraft }): void {
  if (value === undefined || value === null) return;
  for (const [index, alias] of [value].flat().entries()) {
    readAlias(reading, { value: alias, path: Array.isArray(value) ? [...path, String(index)] : path, host });
  }
}

function readAlias(reading: Reading, { value, path, host }: Entry & { host: HostDraft }): void {
  const { findings, aliases, aliasTexts, boltAliases } = reading;
  if (isPlugin(value)) {
    findings.warn(path, `an alias from ${pluginText(value)}: ignored`);
    return;
  }
  if (typeof value !== 'string') {
    findings.problem(path, 'an alias is text');
    return;
  }
  if (!boltAliases.has(value)) boltAliases.set(value, host.certname);
  const alias = value.toLowerCase();
  if (!isBareName(alias)) {
    const why = 'an alias that cannot be typed (not only letters, digits and "._-@"): ignored';
    findings.warn(path, why, { subject: value });
    return;
  }
  const holder = certnameIn(reading, alias);
  if (holder === host.certname) return;
  if (holder !== undefined) {
    const written = aliasTexts.get(alias) ?? holder;
    if (value === written) findings.problem(path, `"${alias}" is a name of ${holder} above`);
    else findings.warn(path, `"${value}" and "${written}" of ${holder} are one name here: ignored`);
    return;
  }
  aliases.set(alias, host.certname);
  aliasTexts.set(alias, value);
  host.aliases = [...host.aliases, alias];
}
