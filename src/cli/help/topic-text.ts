/** A topic of `kick help` as text for a terminal. */
import { Help } from '../commander.ts';
import type { Block, Topic } from './topic.ts';

/** Maximum columns of a term, or a command line, that shares a line with its explanation. */
const MAX_TERM = 30;
const MAX_COMMAND = 40;

export function topicText({ title, blocks }: Topic, columns: number): string {
  const width = Math.min(columns, 100);
  return [`${title}\n`, ...blocks.map((block) => blockText(block, width))].join('\n');
}

function blockText(block: Block, width: number): string {
  const help = new Help();
  help.helpWidth = width;
  if (typeof block === 'string') return `${help.boxWrap(block, width)}\n`;
  const isTerms = 'terms' in block;
  const rows = isTerms ? block.terms : block.examples;
  const longest = Math.max(...rows.map(([term]) => term.length));
  const termWidth = Math.min(isTerms ? MAX_TERM : MAX_COMMAND, longest);
  return rows.map((row) => `${rowText(row, termWidth, help)}\n`).join('');
}

function rowText([term, means]: readonly [string, string], termWidth: number, help: Help): string {
  if (term.length <= termWidth) return help.formatItem(term, termWidth, means, help);
  return `  ${term}\n      ${means}`;
}
