/**
 * What a sentence about one host says of any host: hosts that fail alike have addresses, pids and times of their own.
 * What says how it failed stays: exit codes, lines of the code, versions, and the title of a resource.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** In place of what differs; no sentence has it. */
const HOST = '\0host';
const ADDRESS = '\0address';
const PORT = '\0port';
const PID = '\0pid';
const TIME = '\0time';
const DURATION = '\0duration';
const ID = '\0id';
const SIZE = '\0size';

/** The same text for sentences that are alike. `names`: the host's certname, and where it is reached. */
export function inGeneral(text: string, names: readonly string[]): string {
  const nameless = withoutNames(sharesInWords(text), names);
  return outside(REFERENCE, nameless, (part) =>
    outside(QUOTED, withoutAddresses(withoutTimes(withoutIds(part))), withoutAmounts),
  );
}

/** `9 of 9 resources were` is `all resources were`: hosts have different numbers of them, and the same to say. */
export function sharesInWords(text: string): string {
  return text.replace(/\b(\d+) of (\d+) resources? (?:was|were)\b/g, (_all, some, all) =>
    some === all ? 'all resources were' : 'some resources were',
  );
}

/** `File[/etc/motd]`; a type is written in capitals, and a title may have brackets of its own. */
const REFERENCE = /\b[A-Z]\w*(?:::[A-Z]\w*)*\[(?:[^[\]]|\[[^[\]]*\])*\]/g;

/** A command in quotes is what it is by its numbers too: 'sleep 5s'. The apostrophe of a word opens nothing. */
const QUOTED = /(?<!\w)(?:'[^']*'|"[^"]*")(?!\w)/g;

/** Changes what stands before, between and behind the matches. */
function outside(pattern: RegExp, text: string, change: (part: string) => string): string {
  let changed = '';
  let at = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    changed += change(text.slice(at, index)) + match;
    at = index + match.length;
  }
  return changed + change(text.slice(at));
}

// ---------------------------------------------------------------- the host's names

function withoutNames(text: string, names: readonly string[]): string {
  const full = names.filter((name) => name.includes('.'));
  const short = names.filter((name) => isIP(name) === 0).map((name) => name.split('.')[0] ?? '');
  // On a host tomcat8 Service[tomcat8] is a service all the same; File[/srv/tomcat8] is the host's.
  return outside(PLAIN_REFERENCE, replaced(text, full), (part) => replaced(part, short.filter(isTelling)));
}

/** A reference whose title is no path. */
const PLAIN_REFERENCE = /\b[A-Z]\w*(?:::[A-Z]\w*)*\[[^[\]/]*\]/g;

function replaced(text: string, names: readonly string[]): string {
  return [...new Set(names)].reduce(withoutName, text);
}

/** web07, but neither "web" nor "07": a word may mean a service, and a number an exit code. */
const isTelling = (name: string) => /\d/.test(name) && /[a-z]/i.test(name);

/** By hand: a pattern for each host would cost more than all the rest. */
function withoutName(text: string, name: string): string {
  const wanted = name.toLowerCase();
  // A letter that becomes two would shift what stands behind it.
  const lowered = text.toLowerCase();
  const lower = lowered.length === text.length ? lowered : text;
  let rest = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (at < from || !isWhole(name, lower[at - 1], lower[end])) continue;
    rest += text.slice(from, at) + HOST;
    from = end;
  }
  return rest + text.slice(from);
}

/** A full name may stand before `.pem`, a short one also before `-data`; neither behind `www.`. */
function isWhole(name: string, before = ' ', after = ' '): boolean {
  return name.includes('.')
    ? !/[\w.-]/.test(before) && !/[\w-]/.test(after)
    : !/[a-z\d.]/.test(before) && !/[a-z\d]/.test(after);
}

// ---------------------------------------------------------------- ids, times, addresses, amounts

const UUID = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi;
const POINTER = /\b0x[\da-f]+\b/gi;
/** `job e41c07aa`, `request-id: 5f0c2a91`. */
const NAMED_ID =
  /\b((?:request|trace|span|transaction|correlation|session|job|id)(?:[-_ ]?id)?["']?[ :=#]{1,2}["']?)(?=[a-f]*\d)[\da-f]{6,}\b/gi;

/** Ruby's temporary files (lib/tmpdir.rb): date, pid and a random number, /tmp/puppet-file20261127-812-1hq8h6j. */
const TEMPORARY = /(?<![\d-])20\d{6}-\d{1,7}-[a-z\d]{1,8}\b/g;

function withoutIds(text: string): string {
  return text.replace(UUID, ID).replace(POINTER, ID).replace(TEMPORARY, ID).replace(NAMED_ID, `$1${ID}`);
}

const CLOCK = String.raw`\d{1,2}:\d\d:\d\d(?:[.,]\d+)?`;
const ZONE = String.raw`(?: ?(?:[+-]\d\d:?\d\d|Z|UTC|GMT|[CEW]ES?T|[CEMP][SD]T)\b)?`;
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const WEEKDAY = '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +)?';
const TIMES = [
  // ISO 8601, and a date alone.
  String.raw`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?${ZONE})?\b`,
  // Ruby's and Puppet's logs, `date`, OpenSSL, syslog: Fri Nov 27 09:27:07 +0000 2026, Nov 27 09:27:07 2026 GMT.
  String.raw`\b${WEEKDAY}${MONTH} +\d{1,2} ${CLOCK}${ZONE}(?: \d{4})?${ZONE}\b`,
  // RFC 9110: Fri, 27 Nov 2026 09:27:07 GMT.
  String.raw`\b${WEEKDAY}\d{1,2} ${MONTH} \d{4} ${CLOCK}${ZONE}`,
  // Not the middle of a fingerprint.
  String.raw`(?<![\w:.])${CLOCK}(?![\w:])`,
  // Without seconds it could be a line and a column.
  String.raw`(?<=\b(?:until|since|at|begun|before|after) )\d{1,2}:\d\d\b`,
].map((source) => new RegExp(source, 'g'));

/** What every time contains. Most sentences have none, and there may be very many of them. */
const TIMELIKE = /\d:\d\d|\d{4}-\d\d/;

function withoutTimes(text: string): string {
  if (!TIMELIKE.test(text)) return text;
  return TIMES.reduce((rest, pattern) => rest.replace(pattern, TIME), text);
}

const MAC = /(?<![\w:])(?:[\da-f]{2}:){5}[\da-f]{2}(?![\w:])/gi;
const IPV4 = /(?<![\w.-])(?<!\bversion )((?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?(?![\w-]|\.\d)/g;
const IPV6 = /(?<![\w:.])\[?([\da-f:.]{2,45})(?:%\w+)?(?:\](?::\d{1,5})?)?(?!\w)/gi;

function withoutAddresses(text: string): string {
  const hasColons = text.includes(':');
  return (hasColons ? text.replace(MAC, ADDRESS).replace(IPV6, withoutIPv6) : text)
    .replace(IPV4, (all, address: string) => (isIPv4(address) ? ADDRESS : all))
    .replace(/(?<=\0host|\0address"?|\blocalhost):\d{1,5}\b/g, PORT)
    .replace(/\b(port[ :=]{1,2})\d{1,5}\b/gi, `$1${PORT}`)
    .replace(/\b((?:pid|process(?: id)?)[ :=#]{1,2})\d+\b/gi, `$1${PID}`)
    .replace(/(?<=[a-z_-])\[\d+\](?=:)/g, `[${PID}]`);
}

/** A colon or full stop behind an address is the sentence's. */
function withoutIPv6(all: string, address: string): string {
  if (isIPv6(address)) return ADDRESS;
  const bare = address.replace(/[:.]$/, '');
  return isIPv6(bare) ? ADDRESS + address.slice(bare.length) : all;
}

const UNIT = String.raw`(?:\d+(?:\.\d+)?(?: ?(?:milliseconds?|msec|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?)|[smhd])\b)`;
const DURATIONS = new RegExp(String.raw`(?<![\w.])${UNIT}(?:,? (?:and )?${UNIT})*`, 'g');

function withoutAmounts(text: string): string {
  return text.replace(DURATIONS, DURATION).replace(/\b\d+ MB free\b/g, `${SIZE} free`);
}
