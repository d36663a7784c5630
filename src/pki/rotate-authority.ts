/**
 * Our own CA gets a successor, in three steps: the next one is made and handed out, so that everybody trusts both; it signs;
 * the old one goes. In each step the replacement of the index decides, and what is handed out follows from it.
 */
import { KickError } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { formatDuration } from '../util/duration.ts';
import { exists } from '../util/files.ts';
import {
  type Entry,
  generationOf,
  hangingOnPrevious,
  type Index,
  isValid,
  readIndex,
  writeIndex,
} from './authority-index.ts';
import type { Place } from './authority-place.ts';
import { readPem } from './identity-files.ts';
import { newKey, pemOf } from './new-key.ts';
import { settle } from './publish.ts';
import { selfSigned } from './self-signed.ts';

/** Nodes that have enrolled look at least once in two hours. */
const KNOWN_AFTER_MS = 3 * 3_600_000;

export interface Rotation {
  /** Common name of the CA that the step is about. */
  name: string;
  /** Those who have no certificate but of the CA before the one that signs. */
  hanging: Entry[];
}

/** Makes the next CA. `name` defaults to the old name and a number. Throws `KickError` `pki`. */
export async function rotate(name: string | undefined, place: Place): Promise<Rotation> {
  const { dir, paths, clock } = place;
  const index = readIndex(dir);
  await settle(index, place);
  const doing = 'make the next CA';
  if (index.beside !== undefined) {
    throw new KickError('pki', `${doing}: there is "${nameOf(index.beside)}" beside "${nameOf(index)}"`, {
      hint: `finish that rotation first: kick pki switch-ca, kick pki retire-ca`,
    });
  }
  const generation = generationOf(index) + 1;
  const subject = [name ?? `${nameOf(index).replace(/ \d+$/, '')} ${generation}`];
  if (subject[0] === nameOf(index))
    throw new KickError('pki', `${doing}: "${subject[0]}" is the name of the old one`);
  const key = newKey('p256');
  const certificate = await selfSigned(subject, key, clock.now());
  // Of the first one there is no other copy.
  if (generationOf(index) === 1)
    await writeFileAtomic(paths.caCertificate(1), readPem(paths.ca, 'CA certificate'), { mode: 0o644 });
  await writeFileAtomic(paths.caKey(generation), pemOf(key));
  await writeFileAtomic(paths.caCertificate(generation), certificate, { mode: 0o644 });
  await store({ ...index, beside: { subject, generation, since: clock.now() } }, place);
  return { name: subject[0] ?? '', hanging: [] };
}

/** From now on the next CA signs. Throws `KickError` `pki`, also soon after `rotate` unless it is forced. */
export async function switchOver(isForced: boolean, place: Place): Promise<Rotation> {
  const index = readIndex(place.dir);
  await settle(index, place);
  const { beside } = index;
  const doing = 'let the next CA sign';
  if (beside === undefined || beside.generation < generationOf(index)) {
    throw new KickError('pki', `${doing}: there is none`, { hint: 'make it: kick pki rotate-ca' });
  }
  const now = place.clock.now();
  const knownFor = now - beside.since;
  if (!isForced && knownFor < KNOWN_AFTER_MS) {
    throw new KickError(
      'pki',
      `${doing}: it was made ${formatDuration(knownFor)} ago, and not every node may know it`,
      {
        hint: `wait ${formatDuration(KNOWN_AFTER_MS)}, see kick doctor, or --force`,
      },
    );
  }
  const { subject, generation } = beside;
  const previous = { subject: index.subject, generation: generationOf(index), since: now };
  const next = { ...index, subject, generation, beside: previous };
  await store(next, place);
  return { name: nameOf(next), hanging: hangingOnPrevious(next, now) };
}

/** Removes the CA that does not sign. Throws `KickError` `pki`, also while it has valid certificates unless it is forced. */
export async function retire(isForced: boolean, place: Place): Promise<Rotation> {
  const { beside, ...index } = readIndex(place.dir);
  await settle({ ...index, ...(beside && { beside }) }, place);
  const doing = 'remove the old CA';
  if (beside === undefined) {
    throw new KickError('pki', `${doing}: there is only "${nameOf(index)}"`, {
      hint: 'to replace it, make the next one first: kick pki rotate-ca',
    });
  }
  const now = place.clock.now();
  const hanging = hangingOnPrevious({ ...index, beside }, now);
  if (hanging.length > 0 && !isForced) {
    throw new KickError('pki', `${doing}: these have no certificate but of it: ${namesIn(hanging)}`, {
      hint: await hangingHint(hanging, place),
    });
  }
  // What it has signed stays listed: an entry is what uses a token up.
  const certificates = index.certificates.map((entry) =>
    generationOf(entry) === beside.generation && isValid(entry, entry.name, now)
      ? { ...entry, revokedAt: now }
      : entry,
  );
  await store({ ...index, certificates }, place);
  return { name: nameOf(beside), hanging };
}

/** What was issued here has its file here; enrolled nodes have theirs. */
async function hangingHint(hanging: readonly Entry[], { dir, paths }: Place): Promise<string> {
  const areHere = await Promise.all(hanging.map(({ name }) => exists(paths.certificateOf(name))));
  const issued = hanging.find((_, index) => areHere[index]);
  return [
    ...(issued === undefined
      ? []
      : [
          `"${paths.certificateOf(issued.name)}" is still of the old CA: kick pki issue ${issued.name} --role ${issued.role} --pki-dir ${dir} (kick pki serve renews its own within an hour)`,
        ]),
    ...(areHere.every(Boolean)
      ? []
      : ['enrolled nodes renew within two hours, or at once with kick agent renew']),
    '--force shuts them out',
  ].join('; ');
}

async function store(index: Index, place: Place): Promise<void> {
  const next = { ...index, crlNumber: index.crlNumber + 1 };
  await writeIndex(place.dir, next);
  await settle(next, place);
}

const nameOf = ({ subject }: Pick<Index, 'subject'>) => subject.join(', ');

const MAX_NAMED = 5;

function namesIn(entries: readonly Entry[]): string {
  const names = [...new Set(entries.map(({ name }) => name))];
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
