/** Any sentence about a host: what is the host's own does not count, what is said does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inGeneral } from '../../src/controller/fleet/in-general.ts';
import { resultGroups } from '../../src/controller/fleet/result-groups.ts';
import type { HostResult } from '../../src/controller/jobs/job.ts';

const byte = fc.nat(255);
const two = (n: number) => String(n).padStart(2, '0');
const clock = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)).map((parts) => parts.map(two).join(':'));
const date = fc
  .tuple(
    fc.integer({ min: 2000, max: 2099 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map((parts) => parts.map(two).join('-'));
/** What a host may have of its own. */
const OWN: Readonly<Record<string, fc.Arbitrary<string>>> = {
  address: fc.oneof(
    fc.ipV4(),
    fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `${ip}:${port}`),
    fc.ipV6().filter((ip) => ip.includes(':')),
  ),
  time: fc.oneof(
    clock,
    date,
    fc.tuple(date, clock).map(([day, time]) => `${day}T${time}Z`),
  ),
  duration: fc.oneof(
    byte.map((n) => `${n}s`),
    fc.tuple(byte, fc.nat(59)).map(([hours, minutes]) => `${hours}h ${two(minutes)}m`),
    byte.map((n) => `${n} minutes`),
  ),
  pid: fc.integer({ min: 1, max: 4_194_304 }).map((pid) => `pid ${pid}`),
  id: fc.uuid(),
};
const kinds = Object.keys(OWN);
/** What a failure is about. */
const essence = fc.oneof(
  byte.map((code) => `exited with ${code}`),
  fc
    .tuple(
      fc.constantFrom('File', 'Service', 'Exec', 'Apache::Vhost'),
      fc.stringMatching(/^[a-z0-9/ .:-]{1,12}$/),
    )
    .map(([type, title]) => `${type}[${title}] failed`),
  byte.map((line) => `syntax error (/site.pp:${line})`),
  fc.constantFrom('refused', 'no space left', 'reset by peer'),
);
/** Slots for what is a host's own, and what is said around them. */
const plan = fc.array(fc.oneof(fc.constantFrom(...kinds), fc.constantFrom('=', 'host')), {
  minLength: 1,
  maxLength: 6,
});

const filled = (slots: readonly string[], about: string, name: string) =>
  fc
    .tuple(...slots.map((slot) => OWN[slot] ?? fc.constant(slot === 'host' ? name : 'at')))
    .map((parts) => `${parts.join(', ')} - ${about}`);
const hostName = fc.integer({ min: 1, max: 99_999 }).map((n) => `web${n}.example.com`);

test('what differs only in what a host has of its own comes to one text', () => {
  const twice = fc
    .tuple(plan, essence, hostName, hostName)
    .chain(([slots, about, one, other]) =>
      fc.tuple(filled(slots, about, one), filled(slots, about, other), fc.constant([one, other] as const)),
    );
  fc.assert(
    fc.property(twice, ([first, second, [one, other]]) => {
      expect(inGeneral(first, [one])).toBe(inGeneral(second, [other]));
    }),
    { numRuns: 2000 },
  );
});

test('what is different stays so, whatever stands around it', () => {
  const pairs = fc
    .tuple(plan, essence, essence, hostName, hostName)
    .filter(([, first, second]) => first !== second)
    .chain(([slots, first, second, one, other]) =>
      fc.tuple(filled(slots, first, one), filled(slots, second, other), fc.constant([one, other] as const)),
    );
  fc.assert(
    fc.property(pairs, ([first, second, [one, other]]) => {
      expect(inGeneral(first, [one])).not.toBe(inGeneral(second, [other]));
    }),
    { numRuns: 2000 },
  );
});

test('text of any kind is read in time', () => {
  const nasty = [
    '1:'.repeat(4000),
    '1.'.repeat(4000),
    'A['.repeat(4000),
    "'".repeat(8000),
    '1h '.repeat(3000),
  ];
  for (const text of nasty) expect(inGeneral(text, ['a1.x'])).toBeTypeOf('string');
});

test('each host is in one group, and hosts of which the same is said word for word are in the same', () => {
  const result = fc
    .tuple(fc.constantFrom<HostResult['outcome']>('failed', 'lost', 'busy'), essence, hostName)
    .map(([outcome, message, certname]): HostResult => ({ outcome, message, certname, endedAt: 0 }));
  const results = fc.uniqueArray(result, { selector: ({ certname }) => certname, maxLength: 40 });
  fc.assert(
    fc.property(results, (all) => {
      const groups = resultGroups(all);
      const named = groups.flatMap(({ certnames }) => certnames);
      expect([...named].sort()).toEqual(all.map(({ certname }) => certname).sort());
      const placeOf = ({ certname }: HostResult) =>
        groups.findIndex(({ certnames }) => certnames.includes(certname));
      const places = new Map<string, number>();
      for (const one of all) {
        const said = `${one.outcome} ${one.message}`;
        expect(places.get(said) ?? placeOf(one)).toBe(placeOf(one));
        places.set(said, placeOf(one));
      }
    }),
  );
});
