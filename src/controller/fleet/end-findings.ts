/** What ends: certificates, CRLs and CAs, and whether there is another one in time. */
import type { DoctorFacts } from '../../protocol/doctor.ts';
import { formatDuration } from '../../util/duration.ts';
import { type Finding, problem, warning } from './finding.ts';

const DAY = 86_400_000;

/** Certificates and CRLs. */
const WARN_MS = 30 * DAY;
/** A new CA has to reach every host before the old one ends. */
const WARN_CA_MS = 90 * DAY;
const PROBLEM_MS = 7 * DAY;

interface End {
  /** Milliseconds since 1970. */
  ends: number | undefined;
  now: number;
  next: string;
  /** Milliseconds before the end from which on it is worth a warning; defaults to 30 days. */
  warnMs?: number;
}

/** Findings for something that ends; none while the end is far off. */
export function endFinding(what: string, { ends, now, next, warnMs = WARN_MS }: End): Finding[] {
  if (ends === undefined || ends - now > warnMs) return [];
  if (ends <= now) return [problem(`${what} ended ${daysOf(now - ends)} ago`, next)];
  const level = ends - now < PROBLEM_MS ? problem : warning;
  return [level(`${what} ends in ${daysOf(ends - now)}`, next)];
}

/** `5h`, `12 days`. */
export const daysOf = (ms: number) => (ms < 2 * DAY ? formatDuration(ms) : `${Math.floor(ms / DAY)} days`);

export type Authorities = NonNullable<DoctorFacts['authorities']>;

const CA_NEXT =
  'a new CA beside it in good time, on all hosts: docs/security.md, Rotation; of our own: kick pki rotate-ca --help';
const OVER_NEXT = 'take it out of ca.pem: nobody with a certificate of it is believed';
const UNKNOWN_NEXT =
  'bring ca.pem and crl.pem to it before anybody has a certificate of it: kick agent renew there, or puppet, which fetches both once a day';

/** `whose`: `its`, `this controller's`. */
export function caFindings(whose: string, all: Authorities, now: number): Finding[] {
  return all.flatMap(({ name, ends }): Finding[] => {
    const what = `${whose} CA "${name}"`;
    // Whoever answers, or could load it, has another one.
    if (ends <= now) return [warning(`${what} ended ${daysOf(now - ends)} ago`, OVER_NEXT)];
    return endFinding(what, { ends, now, next: CA_NEXT, warnMs: WARN_CA_MS });
  });
}

/** CAs that we trust and a host does not. `theirs`: undefined if it does not tell. */
export function unknownCaFindings(ours: Authorities, theirs: Authorities | undefined): Finding[] {
  const known = new Set(theirs?.map(({ sha256 }) => sha256));
  const missing = theirs === undefined ? [] : ours.filter(({ sha256 }) => !known.has(sha256));
  return missing.map(({ name }) =>
    warning(`it does not trust the CA "${name}", as this controller does`, UNKNOWN_NEXT),
  );
}
