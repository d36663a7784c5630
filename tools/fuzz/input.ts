/** One input: a command line, and all that it meets. */
import fc from 'fast-check';
import { commandLines, RESIDENT } from './command-lines.ts';
import {
  controllerFile,
  type FileContent,
  type FileDamage,
  fileDamage,
  inventoryFile,
  nodesFile,
} from './files.ts';
import { variables } from './variables.ts';

export interface Input {
  words: readonly string[];
  inventory: FileContent;
  controller: FileContent;
  nodes: string;
  /** To one of the files or folders of remembered jobs and locks. */
  damage: FileDamage | undefined;
  /** Variables of the environment besides those of the controller's folders. */
  env: Readonly<Record<string, string>>;
  /** Of the window; 0: none. */
  columns: number;
  /** In a process of its own: what is on stdin. */
  stdin: string;
}

/** `inProcess`: only those that end by themselves and share no stdin with others. */
export async function inputs({ inProcess }: { inProcess: boolean }): Promise<fc.Arbitrary<Input>> {
  const input: fc.Arbitrary<Input> = fc.record({
    words: await commandLines((name) => !inProcess || !RESIDENT.includes(name)),
    inventory: inventoryFile,
    controller: fc.oneof(
      { weight: 2, arbitrary: fc.constant({ text: '{}' }) },
      { weight: 1, arbitrary: controllerFile },
    ),
    nodes: nodesFile,
    damage: fc.option(fileDamage, { freq: 2, nil: undefined }),
    env: variables,
    columns: inProcess ? fc.constantFrom(0, 0, 0, 1, 7, 80, 1_000_000_000) : fc.constant(0),
    stdin: inProcess ? fc.constant('') : nodesFile,
  });
  return inProcess ? input.filter(isForThisProcess) : input;
}

/** Stdin is ours, a pipe without a writer is waited for, and signals reach all of the process. */
function isForThisProcess({ words }: Input): boolean {
  const isPipe = words.some((word, at) => word === '@FIFO@' && words[at - 1] === '--nodes-file');
  return (
    !isPipe &&
    !words.includes('--nodes-file=@FIFO@') &&
    !words.includes('-') &&
    !words.includes('--nodes-file=-') &&
    !RESIDENT.some((name) => words.includes(name))
  );
}
