/** A choice of no hosts is an error that says how it came about. */
import { KickError } from '../../errors.ts';
import { clip, plural } from '../../util/text.ts';

export function nobodyNamed(): KickError {
  return new KickError('usage', 'read the host names: there are none', {
    hint: "name hosts: kick web1.example.com, kick 'web[01-20]', kick @dmz, kick --all",
  });
}

/** `empty`: what should have named hosts, but named none. */
export function nobodyAtAll(empty: readonly string[]): KickError {
  const shown = empty
    .slice(0, 3)
    .map((reason) => clip(reason, 200))
    .join('; ');
  const more = empty.length > 3 ? `; and ${empty.length - 3} more` : '';
  return new KickError('usage', `choose the hosts: nobody is named by ${shown}${more}`, {
    hint: 'an empty list, group or mask never means all hosts',
  });
}

/** `out`: why hosts are out. */
export function nobodyLeft(out: ReadonlyMap<string, string>): KickError {
  const counts = new Map<string, number>();
  for (const why of out.values()) counts.set(why, (counts.get(why) ?? 0) + 1);
  const shown = [...counts].slice(0, 3).map(([why, count]) => `${plural(count, 'host')} ${why}`);
  const why = shown.length === 0 ? 'no host meets the conditions' : shown.join('; ');
  return new KickError('usage', `choose the hosts: nobody is left: ${why}`, {
    hint: 'kick nodes --explain … shows why each host is in or out',
  });
}
