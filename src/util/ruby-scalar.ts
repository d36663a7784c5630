/**
 * The meaning of plain scalars in Ruby's YAML (lib/psych/scalar_scanner.rb), which is neither YAML 1.2 nor all of 1.1:
 * `4187e02` and `08` are text, `010` is eight, `1:30` is 5400, `yes` is true.
 *
 * Where versions of Psych disagree (`0_` and `0x_` are numbers before 5.1), the narrower rule applies: newer versions write
 * such text without quotes, and no version writes numbers like that.
 */

export type RubyScalar = string | boolean | null | number | bigint | RubyFloat | Date;

/** A float, as opposed to an integer, with Ruby's text and JSON. */
export class RubyFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    const { value } = this;
    if (!Number.isFinite(value)) return String(value);
    const [digits = '', exponent = '0'] = value.toExponential().split('e');
    const power = Number(exponent);
    const withPoint = (text: string) => (text.includes('.') ? text : `${text}.0`);
    if (power >= -4 && power <= 15) return withPoint(Object.is(value, -0) ? '-0' : String(value));
    return `${withPoint(digits)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }

  toJSON(): number | null {
    return Number.isFinite(this.value) ? this.value : null;
  }
}

/** Most scalars: their first characters show Psych that they are neither numbers nor times. */
const WORD = /^[^\d.:\n-]?[\p{Alphabetic}_\s!@#$%^&*(){}<>|/\\~;=]/u;
const FLOAT = /^[-+]?(?:\d[\d_,]*)?\.\d*(?:[eE][-+]\d+)?$/;
const INTEGER =
  /^([-+]?)(?:0b[_,]*([01][01_,]*)|0[_,]*([0-7][0-7_,]*)|(0|[1-9](?:\d|,\d|_\d)*)|0x[_,]*([\da-fA-F][\da-fA-F_,]*))$/;
const SEXAGESIMAL = /^[-+]?\d[\d_]*(?::[0-5]?\d){1,2}$/;
const SEXAGESIMAL_FLOAT = /^[-+]?\d[\d_]*(?::[0-5]?\d){1,2}\.[\d_]*$/;

/** Longer text is no number that anybody uses: of many millions of digits, V8's patterns and numbers take too much. */
const MAX_NUMBER = 10_000;

/** The value of a scalar without quotes and tag. */
export function rubyScalar(text: string): RubyScalar {
  if (text === '') return null;
  if (text.length > MAX_NUMBER) return text;
  if (WORD.test(text) || text.includes('\n')) return text.length > 5 ? text : shortWord(text);
  return time(text) ?? special(text) ?? number(text) ?? text;
}

export function isScalar(value: unknown): value is RubyScalar {
  if (value instanceof Date || value instanceof RubyFloat || value === null) return true;
  return value !== undefined && typeof value !== 'object';
}

/** As in Ruby's `to_s`; times in UTC. */
export function rubyText(value: RubyScalar): string {
  if (value === null) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}

function shortWord(text: string): string | boolean | null {
  // Psych's pattern has no `y` and `n`, and matches at the start of each line.
  if (/^[^ytonf~]/im.test(text)) return text;
  if (text === '~' || /^null$/im.test(text)) return null;
  if (/^(?:yes|true|on)$/im.test(text)) return true;
  return /^(?:no|false|off)$/im.test(text) ? false : text;
}

function special(text: string): string | RubyFloat | undefined {
  if (/^\+?\.inf$/i.test(text)) return new RubyFloat(Number.POSITIVE_INFINITY);
  if (/^-\.inf$/i.test(text)) return new RubyFloat(Number.NEGATIVE_INFINITY);
  if (/^\.nan$/i.test(text)) return new RubyFloat(Number.NaN);
  if (text.length < 2 || !text.startsWith(':')) return undefined;
  // A symbol, `:name` or `:"name"`.
  const quoted = /^:(["'])(.*)\1/.exec(text)?.[2];
  return (quoted ?? text).replace(/^:/, '');
}

function number(text: string): number | bigint | RubyFloat | undefined {
  if (SEXAGESIMAL.test(text)) return whole(inSixties(text, integerPrefix));
  if (SEXAGESIMAL_FLOAT.test(text)) return new RubyFloat(Number(inSixties(text, floatPrefix)));
  if (FLOAT.test(text)) return float(text);
  const [, sign, binary, octal, decimal, hex] = INTEGER.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const digits = [binary && `0b${binary}`, octal && `0o${octal}`, decimal, hex && `0x${hex}`].find(Boolean);
  const magnitude = BigInt((digits ?? '0').replace(/[_,]/g, ''));
  return whole(sign === '-' ? -magnitude : magnitude);
}

function whole(value: bigint | number): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function float(text: string): RubyFloat | undefined {
  if (/^[-+]?\.$/.test(text)) return undefined;
  const value = Number(text.replace(/[_,]/g, '').replace(/\.(?=[Ee]|$)/, ''));
  return Number.isNaN(value) ? undefined : new RubyFloat(value);
}

/** `1:30:05`; to Psych, `1:30` is hours and minutes as well. */
function inSixties(text: string, toNumber: (part: string) => number): number {
  const factors = [3600, 60, 1];
  return text.split(':').reduce((sum, part, index) => sum + toNumber(part) * (factors[index] ?? 0), 0);
}

/** Ruby's `to_i` and `to_f`: the leading part of the text that is a number, with single underscores in it. */
function integerPrefix(text: string): number {
  return Number((/^[-+]?\d+(?:_\d+)*/.exec(text)?.[0] ?? '0').replaceAll('_', ''));
}

function floatPrefix(text: string): number {
  return Number((/^[-+]?\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?/.exec(text)?.[0] ?? '0').replaceAll('_', ''));
}

const DATE = /^(\d{4})-(1[012]|0\d|\d)-([12]\d|3[01]|0\d|\d)$/;
const TIME =
  /^(-?\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]|\s+)(\d{1,2}):(\d\d):(\d\d)(?:\.(\d*))?(?:\s*(?:Z|([-+]\d{1,2}):?(\d\d)?))?$/;

/** A day becomes its text, as Ruby writes it. */
function time(text: string): string | Date | undefined {
  const [, ...day] = DATE.exec(text) ?? [];
  if (day.length === 3) {
    const [year = '', month = '', date = ''] = day.map((part) => part.padStart(2, '0'));
    return exists(Number(year), Number(month), Number(date)) ? `${year}-${month}-${date}` : text;
  }
  const match = TIME.exec(text);
  return match === null ? undefined : (instant(match.slice(1)) ?? text);
}

function exists(year: number, month: number, date: number): boolean {
  const day = new Date(Date.UTC(year, month - 1, date));
  return day.getUTCMonth() === month - 1 && day.getUTCDate() === date && date > 0;
}

function instant(parts: readonly (string | undefined)[]): Date | undefined {
  const [year = 0, month = 0, date = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(0, 6).map(Number);
  const zone = [Number(parts[7] ?? 0), Number(parts[8] ?? 0)] as const;
  const isDay = month >= 1 && month <= 12 && date >= 1 && date <= 31;
  const isTime = (hours < 24 || (hours === 24 && minutes + seconds === 0)) && minutes < 60 && seconds <= 60;
  if (!isDay || !isTime || Math.abs(zone[0]) >= 24 || zone[1] >= 60) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, date);
  at.setUTCHours(hours, minutes, seconds, Math.floor(Number(`0.${parts[6] || 0}`) * 1000));
  const offset = zone[0] * 60 + (zone[0] < 0 ? -zone[1] : zone[1]);
  return new Date(at.getTime() - offset * 60_000);
}
