/** Changes of JSON that leave it JSON, mostly. */
import type { Dice } from './dice.ts';

/** As JSON text, for what no value can say: duplicate keys, deep nesting, numbers of any spelling. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const nested = (depth: number, [open, close]: readonly [string, string], inner = '1') =>
  `${open.repeat(depth)}${inner}${close.repeat(depth)}`;

const STRINGS = [
  ...['', ' ', '\0', '\ufeff', '\ud800', '\udfff', 'a\r\nb', '\u2028', '\u202e', '__proto__', 'constructor'],
  ...[
    '../..',
    '/',
    '%00',
    '{}',
    '[]',
    '1',
    '-1',
    'true',
    'null',
    'NaN',
    '9'.repeat(400),
    '🦶',
    'é',
    'İ',
    '()',
    '[',
  ],
];

const RAWS = [
  ...[
    '1e999',
    '-1e999',
    '1e308',
    '-0',
    '0.1',
    '01',
    '9007199254740993',
    '18446744073709551616',
    '4294967296',
  ],
  ...[
    '-1',
    '1e-999',
    '2147483648',
    'NaN',
    'undefined',
    '',
    "'a'",
    '"\\ud800"',
    '"\\u0000"',
    '"\t"',
    '{"a":1,"a":2}',
  ],
  ...[
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"toString":1,"length":-1}',
  ],
  nested(17, ['[', ']']),
  nested(200, ['{"a":', '}']),
  nested(20_000, ['[', ']']),
  nested(8000, ['{"a":', '}']),
  nested(20_000, ['[', ''], ''),
  `[${'1,'.repeat(20_000)}1]`,
  `{${Array.from({ length: 3000 }, (_, at) => `"k${at}":1`).join(',')}}`,
  JSON.stringify('x'.repeat(70_000)),
  JSON.stringify('\u0001'.repeat(9000)),
];

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'length',
  'then',
  '',
  '0',
  '\ud800',
  'v',
  'type',
  '<<',
];

type Container = Record<string | number, unknown>;

interface Place {
  parent: Container;
  key: string | number;
}

function placesIn(root: Container): Place[] {
  const places: Place[] = [];
  const visit = (parent: Container) => {
    for (const key of Array.isArray(parent) ? parent.keys() : Object.keys(parent)) {
      places.push({ parent, key });
      const inner = parent[key];
      if (typeof inner === 'object' && inner !== null && !(inner instanceof Raw)) visit(inner as Container);
    }
  };
  visit(root);
  return places;
}

function oddValue(dice: Dice): unknown {
  switch (dice.roll(6)) {
    case 0:
      return dice.pick(STRINGS);
    case 1:
      return new Raw(dice.pick(RAWS));
    case 2:
      return dice.pick([null, true, false, 0, 1, 2 ** 31, 2 ** 53, -1, 0.5, 253_402_300_799_999]);
    case 3:
      return dice.pick([[], {}, [[]], [{}], { a: 1 }, [null]]);
    case 4:
      return dice.roll(2 ** 31);
    default:
      return String.fromCharCode(...Array.from({ length: dice.roll(9) }, () => dice.roll(0x10000)));
  }
}

function changeText(text: string, dice: Dice): string {
  const at = dice.roll(text.length + 1);
  const piece = dice.once(2) ? dice.pick(STRINGS) : String.fromCharCode(dice.roll(0x180));
  if (dice.once(6)) return text.repeat(1 + dice.roll(40)).slice(0, 100_000);
  return text.slice(0, at) + piece + text.slice(at + dice.roll(3));
}

function changePlace({ parent, key }: Place, dice: Dice, donors: readonly Place[]): void {
  const value = parent[key];
  const isList = Array.isArray(parent);
  switch (dice.roll(8)) {
    case 0:
      if (isList) parent.splice(Number(key), 1);
      else delete parent[key];
      return;
    case 1:
    case 2:
      if (typeof value === 'string') parent[key] = changeText(value, dice);
      else if (typeof value === 'number')
        parent[key] = dice.pick([-value, value + 1, value * 1000, value / 3, String(value)]);
      else parent[key] = oddValue(dice);
      return;
    case 3:
      if (isList) parent.push(...Array.from({ length: dice.once(5) ? 3000 : 2 }, () => value));
      else define(parent, dice.once(2) ? dice.pick(KEYS) : changeText(String(key), dice), value);
      return;
    case 4: {
      const donor = donors.length > 0 ? dice.pick(donors) : undefined;
      parent[key] = donor === undefined ? [value] : structured(donor.parent[donor.key]);
      return;
    }
    case 5:
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        define(value as Container, dice.pick(KEYS), oddValue(dice));
      else parent[key] = { [dice.pick(KEYS)]: value };
      return;
    default:
      parent[key] = oddValue(dice);
  }
}

/** Assignment to `__proto__` would set none of its keys. */
function define(parent: Container, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

const structured = (value: unknown): unknown =>
  value instanceof Raw || value === undefined ? value : JSON.parse(textOf(value, String));

/** `raw`: how raw text is written. */
function textOf(value: unknown, raw: (text: string) => string): string {
  return JSON.stringify(value, (_key, one: unknown) => (one instanceof Raw ? raw(one.text) : one)) ?? 'null';
}

/** A line that no sample has stands for raw text, until the rest is written. */
function jsonText(value: unknown): string {
  const raws: string[] = [];
  const text = textOf(value, (raw) => `~raw~${raws.push(raw) - 1}~`);
  return text.replace(/"~raw~(\d+)~"/g, (_all, index) => raws[Number(index)] ?? '');
}

/** Some changes of a document and its text again; undefined if it is no JSON. */
export function changeJson(text: string, dice: Dice, other: string): string | undefined {
  const root = parsed(text);
  if (root === undefined) return undefined;
  const donors = placesIn({ '': parsed(other) });
  for (let left = 1 + dice.roll(3); left > 0; left--) {
    const places = placesIn(root);
    if (places.length > 0) changePlace(dice.pick(places), dice, donors);
  }
  return jsonText(root['']);
}

function parsed(text: string): Container | undefined {
  try {
    return { '': JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
