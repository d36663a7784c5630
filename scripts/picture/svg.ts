/** Frames of a terminal as one SVG that plays them: every row is drawn once for as long as it stays the same. */
import type { Cell } from './screen.ts';

export interface Frame {
  /** Milliseconds from the beginning. */
  at: number;
  rows: readonly (readonly Cell[])[];
}

export interface SvgOptions {
  columns: number;
  rows: number;
  title: string;
  /** Milliseconds for which the last frame stays before it begins again. */
  holdMs: number;
}

/** The fonts below are about 0.6 as wide as they are high. */
const CHAR = 8;
const LINE = 18;
const MARGIN = 16;
const BAR = 30;

/** A row that stays from one frame up to another. */
interface Span {
  row: number;
  cells: readonly Cell[];
  from: number;
  /** The frame in which it is something else. */
  to: number;
}

export function svgOf(frames: readonly Frame[], { columns, rows, title, holdMs }: SvgOptions): string {
  const width = columns * CHAR + 2 * MARGIN;
  const height = rows * LINE + BAR + MARGIN;
  const total = (frames.at(-1)?.at ?? 0) + holdMs;
  const spans = spansOf(frames);
  const intervals = [...new Set(spans.map(nameOf))];
  const percent = (frame: number) => `${Math.round(((frames[frame]?.at ?? total) / total) * 10_000) / 100}%`;
  const keyframes = intervals.map((name) => {
    const [from = 0, to = 0] = name.split('-').map(Number);
    const steps = [
      ...(from > 0 ? ['0%{visibility:hidden}'] : []),
      `${percent(from)}{visibility:visible}`,
      ...(to < frames.length ? [`${percent(to)}{visibility:hidden}`] : []),
    ];
    return `@keyframes k${name}{${steps.join('')}}.k${name}{animation-name:k${name}}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${xml(title)}">
<style>
text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d0d7de;white-space:pre}
g g{visibility:hidden;animation:${(total / 1000).toFixed(1)}s step-end infinite}
g .e{visibility:visible}
.s1{font-weight:bold}.s2{fill:#8b949e}.s31{fill:#ff7b72}.s32{fill:#7ee787}.s33{fill:#e3b341}.s34,.s36{fill:#79c0ff}.s35{fill:#d2a8ff}
${keyframes.join('\n')}
@media(prefers-reduced-motion:reduce){g g{animation:none}}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" fill="#161b22" stroke="#484f58"/>
<circle cx="18" cy="15" r="5" fill="#ff7b72"/><circle cx="34" cy="15" r="5" fill="#e3b341"/><circle cx="50" cy="15" r="5" fill="#7ee787"/>
<g xml:space="preserve">
${groupsOf(spans, frames.length).join('\n')}
</g>
</svg>
`;
}

const nameOf = ({ from, to }: Span) => `${from}-${to}`;

/** Rows with the same interval share a group; those of the last frame stay where nothing moves. */
function groupsOf(spans: readonly Span[], frames: number): string[] {
  const groups = new Map<string, Span[]>();
  for (const span of spans) groups.set(nameOf(span), [...(groups.get(nameOf(span)) ?? []), span]);
  return [...groups].map(([name, members]) => {
    const isLast = members.some(({ to }) => to === frames);
    return `<g class="k${name}${isLast ? ' e' : ''}">${members.map(textOf).join('')}</g>`;
  });
}

function spansOf(frames: readonly Frame[]): Span[] {
  const spans: Span[] = [];
  const open = new Map<number, Span>();
  for (const [index, { rows }] of frames.entries()) {
    for (const row of new Set([...open.keys(), ...rows.keys()])) {
      const cells = rows[row] ?? [];
      const before = open.get(row);
      if (before !== undefined && isSame(before.cells, cells)) continue;
      if (before !== undefined) before.to = index;
      open.delete(row);
      if (cells.length === 0) continue;
      const span = { row, cells, from: index, to: frames.length };
      spans.push(span);
      open.set(row, span);
    }
  }
  return spans;
}

function isSame(a: readonly Cell[], b: readonly Cell[]): boolean {
  return (
    a.length === b.length && a.every(({ char, style }, at) => char === b[at]?.char && style === b[at]?.style)
  );
}

/** `textLength` keeps the columns, whatever the font. */
function textOf({ row, cells }: Span): string {
  const first = cells.findIndex(({ char }) => char !== ' ');
  const shown = cells.slice(first);
  const x = MARGIN + first * CHAR;
  const y = BAR + (row + 1) * LINE - 6;
  return `<text x="${x}" y="${y}" textLength="${shown.length * CHAR}">${runsOf(shown).join('')}</text>`;
}

function runsOf(cells: readonly Cell[]): string[] {
  const runs: { style: string; text: string }[] = [];
  for (const { char, style } of cells) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += char;
    else runs.push({ style, text: char });
  }
  return runs.map(({ style, text }) => {
    const names = style.split(';').filter((one) => one !== '');
    const classes = names.map((one) => `s${one}`).join(' ');
    return classes === '' ? xml(text) : `<tspan class="${classes}">${xml(text)}</tspan>`;
  });
}

function xml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}
