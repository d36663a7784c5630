/** Times and numbers in the reader's language and zone. All times of the API are checked: they are within what a Date holds. */

export interface Figures {
  /** `14:03:12`, with the day unless it is today. */
  time(at: number): string;
  /** ISO 8601 in UTC, for the tooltip. */
  utc(at: number): string;
  /** `3 min. ago`, `in 2 hr.`. */
  ago(at: number, now: number): string;
  /** `1.4 s`, `2 min 3 s`. */
  span(ms: number): string;
  number(value: number): string;
  percent(share: number): string;
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

export function figuresOf(language: string): Figures {
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium', hourCycle: 'h23' });
  const day = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
  });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  const plain = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    });
  const [seconds, tenths, minutes, hours] = [
    unit('second'),
    unit('second', 1),
    unit('minute'),
    unit('hour'),
  ] as const;
  return {
    time: (at) => (isToday(at) ? clock : day).format(at),
    utc: (at) => new Date(at).toISOString(),
    ago(at, now) {
      const difference = at - now;
      const [name, size] = UNITS.find(([, ms]) => Math.abs(difference) >= ms) ?? ['second', 1000];
      return relative.format(Math.trunc(difference / size), name);
    },
    span(ms) {
      if (ms < 10_000) return tenths.format(Math.max(0, ms) / 1000);
      const whole = Math.round(ms / 1000);
      if (whole < 60) return seconds.format(whole);
      if (whole < 3600) return `${minutes.format(Math.floor(whole / 60))} ${seconds.format(whole % 60)}`;
      return `${hours.format(Math.floor(whole / 3600))} ${minutes.format(Math.floor((whole % 3600) / 60))}`;
    },
    number: (value) => plain.format(value),
    percent: (share) => percent.format(share),
  };
}

/** The reader's own, like Europe/Berlin. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function isToday(at: number): boolean {
  return new Date(at).toDateString() === new Date().toDateString();
}

/** Milliseconds since 1970 of a time of the API. */
export function millisOf(iso: string | undefined): number | undefined {
  const at = Date.parse(iso ?? '');
  return Number.isNaN(at) ? undefined : at;
}
