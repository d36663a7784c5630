/** Expressions that operators type. */
import { parseFactCondition, parseFactPath, valueAt } from '../../../src/conditions/fact-condition.ts';
import { fitsOf, judgeFacts } from '../../../src/conditions/judge-facts.ts';
import { MAX_NAMES, wholeAllowance } from '../../../src/conditions/nodeset/allowance.ts';
import { eachName, parseExpression } from '../../../src/conditions/nodeset/expression.ts';
import { foldTerms } from '../../../src/conditions/nodeset/fold.ts';
import { leavesOf, parseWhere } from '../../../src/conditions/where.ts';
import { parseNodesFile } from '../../../src/controller/targeting/nodes-file.ts';
import { parseDuration } from '../../../src/util/duration.ts';
import { parseShare } from '../../../src/util/share.ts';
import { type Decoder, isKick, json, textSample } from './decoder.ts';
import { AGENT } from './samples.ts';

const SETS = [
  '[1-3]',
  '[01-20,30]',
  '@dmz',
  '*',
  '?',
  '/^we(b|c)\\d+$/',
  ',',
  '!',
  '&',
  '^',
  '"a b"',
  '/2',
  '-',
  'web1',
];

const hosts: Decoder = {
  name: 'hosts',
  about: 'an expression of hosts: an operator, or whoever asks kick serve',
  open: () => ({
    samples: [
      ...[
        'web[01-20,30]!web7',
        '@dmz&*.example.com',
        'web1[8-12]x[1-9/2]',
        '/^we(b|c)\\d+$/,"a b"',
        'a,b ^ c,d',
      ],
    ].map(textSample),
    decode(input) {
      const terms = parseExpression(input.toString('utf8'), 'argument 1', wholeAllowance());
      const names: string[] = [];
      for (const term of terms) if (term.kind === 'name') eachName(term, (name) => names.push(name));
      return { terms, folded: names.length < 2000 ? foldTerms(names) : undefined };
    },
    isDeclared: isKick('usage'),
    words: SETS,
    // That many names may be meant, each in a list.
    maxValue: MAX_NAMES * 100,
  }),
};

const nodes: Decoder = {
  name: 'nodes-file',
  about: 'a file of hosts, as text or JSON: an operator, or another program',
  open: () => ({
    samples: [
      textSample('# hosts\nweb[1-3] db1 # two\n"a#b"\n@dmz\n'),
      json({ nodes: [{ certname: AGENT }, 'db1'] }),
      json([AGENT, { certname: 'x' }]),
      textSample('{"certname":"a"}\n{"type":"job-done"}\n{"certname":"b"}\n'),
    ],
    decode: (input) => parseNodesFile(input.toString('utf8'), 'nodes.txt'),
    isDeclared: isKick('usage'),
    words: SETS,
    maxValue: 4 << 20,
  }),
};

const FACTS = {
  os: { family: 'Debian', release: { full: '12.4' } },
  n: 4,
  list: [{ a: 'x' }],
  text: 'a'.repeat(30),
};
const CONDITIONS = [
  'os',
  'family',
  '.',
  '[0]',
  '"x y"',
  '=',
  '!=',
  '~',
  '<',
  '<=',
  '>',
  '>=',
  '==',
  '=~',
  '12.4',
  '4',
  '^D',
  '(a+)+',
];

const fact: Decoder = {
  name: 'fact',
  about: 'a condition on a fact, and its judgement: an operator, or whoever asks kick serve',
  open: () => ({
    samples: ['os.family=Debian', 'n>=4', 'list[0].a~^x', 'os.release.full < 12.10', '"text"!=x'].map(
      textSample,
    ),
    decode(input) {
      const text = input.toString('utf8');
      const condition = parseFactCondition(text);
      const values = [valueAt(FACTS, condition.path)];
      return judgeFacts([condition], values, fitsOf([condition], [values], { ms: 20 }));
    },
    isDeclared: isKick('usage'),
    words: CONDITIONS,
    maxBytes: 8192,
  }),
};

const path: Decoder = {
  name: 'fact-path',
  about: 'the name of a fact: an operator',
  open: () => ({
    samples: ['os.family', 'mounts."/boot".size', 'disks[0][1].x'].map(textSample),
    decode: (input) => parseFactPath(input.toString('utf8')),
    isDeclared: isKick('usage'),
    words: CONDITIONS,
  }),
};

const where: Decoder = {
  name: 'where',
  about: 'an expression of facts and classes (--where): an operator',
  open: () => ({
    samples: [
      ...[
        'os.family=Debian and not (class(apache) or n<4)',
        "!a='b c' or (x~^(5|6) and class(::a::b))",
        'n=4',
      ],
    ].map(textSample),
    decode: (input) => leavesOf(parseWhere(input.toString('utf8')).where),
    isDeclared: isKick('usage'),
    words: [...CONDITIONS, ' and ', ' or ', 'not ', '!', '(', ')', 'class('],
  }),
};

const amounts: Decoder = {
  name: 'duration',
  about: 'a duration, or a share of hosts: an operator',
  open: () => ({
    samples: ['90s', '1h30m', '1.5s', '300', '50ms'].map(textSample),
    decode(input) {
      const text = input.toString('utf8');
      return [parseShare(text), parseDuration(text)];
    },
    isDeclared: isKick('usage', 'config'),
    words: ['h', 'm', 's', 'ms', 'd', '%', '.'],
  }),
};

export const EXPRESSIONS: readonly Decoder[] = [hosts, nodes, fact, path, where, amounts];
