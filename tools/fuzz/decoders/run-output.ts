/** What a run prints, and what its wrapper notes. */
import { createLogReader } from '../../../src/agent/judge/log-findings.ts';
import { inEvents, linesOf } from '../../../src/agent/runs/output-lines.ts';
import { readWrapperFiles } from '../../../src/agent/runs/wrapper-files.ts';
import { type Decoder, linesSample, textSample } from './decoder.ts';
import { fileReader } from './file-reader.ts';

const LOG = [
  {
    level: 'notice',
    message: 'Applied catalog in 0.1 seconds',
    source: 'Puppet',
    file: '/x.pp',
    line: 3,
    tags: ['a'],
  },
  { level: 'err', message: 'Could not run: Caught TERM; exiting', source: '/Stage[main]/X' },
];

const CONSOLE = `/usr/bin/puppet:4:in 'Kernel#require': cannot load such file -- x (LoadError)
\tfrom /usr/lib/ruby/x.rb:12:in \`<main>'
[4242, #<Thread:0x00007f0c run>, #<SignalException: SIGTERM>, ["x"]]
Error: Could not initialize global default settings: 
\u001b[1;31mError: SIGTERM\u001b[0m
`;

const output = (name: string, about: string, source: 'log' | 'output'): Decoder => ({
  name,
  about,
  open: () => ({
    samples: [source === 'log' ? linesSample(LOG) : textSample(CONSOLE)],
    decode(input) {
      const lines = linesOf(source, input);
      const found = createLogReader();
      for (const line of lines) found.add(line);
      return [inEvents(lines), found.findings()];
    },
    words: [
      'Error: ',
      '[BUG] ',
      'at ',
      'from ',
      ":1:in `x'",
      ' (LoadError)',
      'SIGTERM',
      '[1, #<Thread:x>, #<SignalException: SIGINT>, ',
    ],
    // A line may be a byte, and is an object.
    maxValue: 16 << 20,
  }),
});

const wrapper: Decoder = {
  name: 'wrapper-files',
  about: 'what the wrapper of a run notes: the agent, of its own files',
  open(folder) {
    const files = ['started', 'exit'].map((name) => fileReader(folder, name));
    return {
      samples: ['4242 123456\n', '2\ncaught TERM INT\nlocked\ndisabled\n    ', '0\n'].map(textSample),
      decode(input) {
        for (const file of files) file.read(input, () => {});
        return readWrapperFiles(folder);
      },
      words: ['caught', 'locked', 'disabled', '\n', ' '],
    };
  },
};

export const RUN_OUTPUT: readonly Decoder[] = [
  output('run-log', "Puppet's log of a run (JSON lines)", 'log'),
  output('console', 'what a run prints', 'output'),
  wrapper,
];
