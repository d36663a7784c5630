/** Variables of the environment with values that nobody would set. */
import fc from 'fast-check';
import { all, hosts, odd, PLACES } from './nasty.ts';

/** Those that lead nowhere else: an empty variable means the machine's own folder. */
const FOLDERS = PLACES.filter((place) => place.startsWith('@') || place.startsWith('/dev'));

const LOCALES = ['', 'C', 'xx_YY.nonsense', 'Mars/Phobos', ':/x', '\u001b[2J', '\u202e'];

/** Variables of the environment: seldom any, seldom two. Folders stay within an input's own (place.ts). */
export const variables: fc.Arbitrary<Record<string, string>> = fc
  .array(
    fc.oneof(
      fc.tuple(
        fc.constantFrom('KICK_CONFIG_DIR', 'KICK_STATE_DIR', 'KICK_PKI_DIR', 'KICK_RUN_DIR'),
        all(FOLDERS),
      ),
      fc.tuple(fc.constantFrom('KICK_CERTNAME', 'KICK_PUPPET'), fc.oneof(hosts, odd)),
      fc.tuple(
        fc.constantFrom('PATH'),
        all(['', '/nowhere', ':::/dev/null', '/dev/null', 'relative', '\u001b[2J']),
      ),
      fc.tuple(fc.constantFrom('HOME', 'TERM', 'COLUMNS', 'NO_COLOR', 'SUDO_USER'), odd),
      // Short ones: Node itself ends by SIGSEGV where LANG is longer than any language (20.20, ICU: 12 letters).
      fc.tuple(fc.constantFrom('LANG', 'LC_ALL', 'TZ'), all(LOCALES)),
    ),
    { maxLength: 2, size: 'xsmall' },
  )
  .map((some) => Object.fromEntries(some));
