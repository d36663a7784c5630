/** Versions as programs and distributions write them: `12.4`, `6.1.0-18-amd64`, `9.2p1`, `8.0.0-rc1`, `9.0.0~rc1`. */

interface Version {
  /** `6`, `1`, `0`: digits, of any length. */
  numbers: readonly string[];
  /** The rest: `-18-amd64`. */
  suffix: string;
}

/** Versions are short; long text is something else. */
const MAX_LENGTH = 200;

const VERSION = /^v?(?!.*\.\.|0x)(\d+(?:\.\d+)*)((?:[a-z]{1,8}\d*)?(?:[-+~_.]{1,2}[a-z0-9]+)*)$/i;

/** Suffixes of versions that precede the one without a suffix. */
const PRE_RELEASE = /^[-+_.]?(?:~|alpha|beta|rc|pre|dev|snapshot)/i;

export function isVersion(text: string): boolean {
  return parse(text) !== undefined;
}

/**
 * Negative if `a` is older; undefined if either is no version. Numbers are compared as numbers, and `12` is `12.0`;
 * if these are equal, a pre-release is older and any other suffix newer than none.
 */
export function compareVersions(a: string, b: string): number | undefined {
  const [left, right] = [parse(a), parse(b)];
  if (left === undefined || right === undefined) return undefined;
  const length = Math.max(left.numbers.length, right.numbers.length);
  for (let at = 0; at < length; at++) {
    const difference = compareDigits(left.numbers[at] ?? '0', right.numbers[at] ?? '0');
    if (difference !== 0) return difference;
  }
  return compareSuffixes(left.suffix, right.suffix);
}

function parse(text: string): Version | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, release, suffix = ''] = VERSION.exec(text) ?? [];
  return release === undefined ? undefined : { numbers: release.split('.'), suffix };
}

/** Compares numbers of any length; JavaScript's are only exact up to 15 digits. */
function compareDigits(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function compareSuffixes(a: string, b: string): number {
  const difference = rankOf(a) - rankOf(b);
  if (difference !== 0) return difference;
  const [left, right] = [piecesOf(a), piecesOf(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = comparePieces(left[at] ?? '', right[at] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function rankOf(suffix: string): number {
  if (suffix === '') return 0;
  return PRE_RELEASE.test(suffix) ? -1 : 1;
}

const piecesOf = (suffix: string) => suffix.toLowerCase().match(/\d+|[a-z]+/g) ?? [];

/** Letters are older than a number in the same place: `-rc` and `-1`. */
function comparePieces(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d/.test(a), /^\d/.test(b)];
  if (isNumberA && isNumberB) return compareDigits(a, b);
  return isNumberA === isNumberB ? compareText(a, b) : Number(isNumberA) - Number(isNumberB);
}
