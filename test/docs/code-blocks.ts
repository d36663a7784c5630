/** The code in a Markdown document: its blocks, and the command lines of kick in them. */

export interface CodeBlock {
  language: string;
  text: string;
  /** Of its first line within the document, from 1. */
  line: number;
}

export interface CommandLine {
  /** Without `kick`, as a shell would pass them. */
  words: string[];
  /** A file that the shell would open as its stdin. */
  stdin?: string;
  line: number;
}

export interface Example extends CommandLine {
  /** What it prints. */
  output: string;
}

/** The fenced blocks. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language = '', 2: text = '', index }) => ({
      language,
      text,
      line: markdown.slice(0, index).split('\n').length + 1,
    }),
  );
}

/** Those of the shell's blocks, and of crontabs. */
export function commandLines(markdown: string): CommandLine[] {
  return codeBlocks(markdown)
    .filter(({ language }) => language === 'sh' || language === 'crontab')
    .flatMap(({ text, line }) => text.split('\n').flatMap((one, index) => commandsIn(one, line + index)));
}

/** `kick …` between backquotes in a sentence or a table. */
export function inlineCommands(markdown: string): CommandLine[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ''));
  return [...prose.matchAll(/`(kick [^`]+)`/g)].flatMap(({ 1: text = '', index }) =>
    commandsIn(text.replaceAll('\\|', '|'), prose.slice(0, index).split('\n').length),
  );
}

/** Blocks of `console`: commands behind `$ `, each with what it prints. */
export function examples(markdown: string): Example[] {
  return codeBlocks(markdown)
    .filter(({ language }) => language === 'console')
    .flatMap(({ text, line }) => {
      const pieces = text.split(/^\$ /m).slice(1);
      return pieces.map((piece) => {
        const [command = '', ...output] = piece.split('\n');
        const [parsed] = commandsIn(command, line);
        if (parsed === undefined) throw new Error(`line ${line}: "${command}" is no command of kick`);
        return { ...parsed, output: output.join('\n') };
      });
    });
}

const OPERATORS = ['|', '||', '&&', ';', '&', '(', ')'];

/** The commands of one line that are kick's. */
export function commandsIn(text: string, line: number): CommandLine[] {
  const commands: string[][] = [[]];
  for (const word of shellWords(text)) {
    if (OPERATORS.includes(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands.flatMap((words) => {
    const at = words.indexOf('kick');
    // In a crontab it stands behind time and user; elsewhere it is the first word.
    if (at < 0 || (at > 0 && !/^[\d*]/.test(words[0] ?? ''))) return [];
    return [{ ...withoutRedirections(words.slice(at + 1)), line }];
  });
}

function withoutRedirections(words: readonly string[]): Omit<CommandLine, 'line'> {
  const stdin = words.find((word) => word.startsWith('<') && word.length > 1);
  const plain = words.filter((word) => !/^[<>]./.test(word));
  return { words: plain, ...(stdin !== undefined && { stdin: stdin.slice(1) }) };
}

/** Words as POSIX sh splits them: quotes, comments, operators; redirections stay with their file. */
export function shellWords(text: string): string[] {
  const pattern =
    /\s*(?:(#.*$)|(\|\||&&|[|;&()])|([<>]?(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\([^)]*\)|[^\s'"\\|;&()#]|(?<=\S)#)+))/gy;
  const words: string[] = [];
  for (const [, comment, operator, word] of text.matchAll(pattern)) {
    if (comment !== undefined) break;
    if (operator !== undefined) words.push(operator);
    if (word !== undefined) words.push(unquoted(word));
  }
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
    (_all, single, double, escaped) => single ?? double?.replace(/\\([\\"$`])/g, '$1') ?? escaped,
  );
}
