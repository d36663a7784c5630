/** What programs print that kick starts, what systemd hands on, and the lines of a broker. */
import * as v from 'valibot';
import { isDaemon, textRunsPuppet } from '../../../src/agent/doctor/puppet-commands.ts';
import { factsIn } from '../../../src/agent/puppet/ask-facts.ts';
import { FoundSchema, READER } from '../../../src/agent/puppet/cached-catalog.ts';
import { takeSocket } from '../../../src/cli/agent/systemd-socket.ts';
import { expressionsIn } from '../../../src/controller/targeting/group-sources.ts';
import { firstComplaint, puppetErrorIn } from '../../../src/puppet/puppet-words.ts';
import { assignmentsIn, settingWords, wordsOf } from '../../../src/puppet/service-environment.ts';
import { settingsIn } from '../../../src/puppet/settings.ts';
import { ServerLines } from '../../../src/transport/nats/server-lines.ts';
import { type Decoder, isKick, json, textSample } from './decoder.ts';
import { AGENT, PRINTED_SETTINGS } from './samples.ts';

/** Whether an error is a plain one with such a message. */
const says = (words: RegExp) => (error: unknown) => error instanceof Error && words.test(error.message);

const WARNING = 'Warning: a setting is deprecated\n';

const catalog: Decoder = {
  name: 'cached-catalog',
  about: 'the cached catalog: Puppet, of its server',
  open: () => {
    // Compiled once: it is the source of a process of its own.
    const run = new Function('require', 'console', READER);
    return {
      samples: [
        json({
          ...{ name: AGENT, environment: 'production', version: 1 },
          resources: [{ type: 'File', title: '/x', parameters: { ensure: 'file' } }],
          edges: [{ source: 'Stage[main]', target: 'Class[x]' }],
        }),
      ],
      decode(input) {
        const said: string[] = [];
        const fs = { readFileSync: () => input.toString('utf8') };
        const console = { log: (line: string) => said.push(line) };
        run(() => fs, console);
        return v.parse(FoundSchema, JSON.parse(said.join('')));
      },
    };
  },
};

const facts: Decoder = {
  name: 'puppet-facts',
  about: 'what puppet facts prints: the agent, of Puppet and of whoever writes facts',
  open: () => {
    const found = json({ name: AGENT, values: { os: { family: 'Debian' }, n: [1, 2.5, null] } });
    return {
      samples: [
        found,
        { ...found, wrap: (inner) => Buffer.concat([Buffer.from(WARNING), inner, Buffer.from('\n')]) },
      ],
      decode: (input) => structuredClone(factsIn(input.toString('utf8'))),
      isDeclared: says(/^puppet facts: /),
    };
  },
};

const settings: Decoder = {
  name: 'printed-settings',
  about: 'what puppet config print prints: both sides',
  open: () => ({
    samples: [json(PRINTED_SETTINGS)],
    decode: (input) => settingsIn(input.toString('utf8')),
    isDeclared: isKick('puppet'),
  }),
};

const complaint: Decoder = {
  name: 'puppet-stderr',
  about: 'what Puppet says on stderr: both sides',
  open: () => ({
    samples: [textSample(`${WARNING}\u001b[1;31mError: Could not parse: x\u001b[0m\r\n(file: /x)\n`)],
    decode(input) {
      const text = input.toString('utf8');
      return [puppetErrorIn(text), firstComplaint(text)];
    },
    words: ['Error: ', 'Warning: ', ': warning: ', '\u001b[', '\u001b[0;0;0m', '\u001b[   ', '(', '\r\n'],
  }),
};

const environment: Decoder = {
  name: 'environment-file',
  about: "puppet.service's environment files: the agent, of an operator",
  open: () => ({
    samples: [
      textSample(
        '# comment\nFACTER_role="web \\"1\\""\nA=b \\\n c\n; x\nPUPPET_EXTRA_OPTS=\'--noop --tags a,b\'\n',
      ),
      textSample('PUPPET_EXTRA_OPTS="--server=puppet --environment \'a b\' -l /x --test"\n'),
    ],
    decode(input) {
      const found = [...assignmentsIn(input.toString('utf8'))];
      return found.map(([name, value]) => [name, settingWords(wordsOf(value))]);
    },
    words: ['=', '"', "'", '\\', '\\\n', '--', ' ', '#', ';', 'PUPPET_EXTRA_OPTS=', '$'],
    maxValue: 4 << 20,
  }),
};

const group: Decoder = {
  name: 'group-command',
  about: 'what the command of a group prints: the controller, of a program of the operator',
  open: () => ({
    samples: [textSample('web[1-3].example.com # three\ndb1 db2\n\n"a b",WEB?\n')],
    decode: (input) => expressionsIn(input.toString('utf8'), 'who'),
    isDeclared: isKick('usage'),
    words: ['[1-3]', ',', '!', '"', '#', '..', ':8139', '\r\n', '*', '@'],
    maxValue: 16 << 20,
  }),
};

const command: Decoder = {
  name: 'puppet-commands',
  about: 'crontabs, and command lines of processes: the agent, of any user',
  open: () => ({
    samples: [
      textSample('# puppet\n*/30 * * * * root (sleep 5; puppet agent -tv --environment "x" > /dev/null)\n'),
      textSample('puppet\0agent\0--onetime\0-vt\0--tags\0a,b\0'),
    ],
    decode(input) {
      const text = input.toString('latin1');
      return [textRunsPuppet(text), isDaemon(text.split(/[\0 ]+/))];
    },
    words: [
      'puppet',
      ' agent ',
      '-',
      't'.repeat(500),
      '"'.repeat(500),
      '#',
      '&&',
      '|',
      '\\\n',
      '--help',
      '\0',
    ],
  }),
};

const socket: Decoder = {
  name: 'systemd-socket',
  about: 'LISTEN_FDS and LISTEN_PID: the agent, of systemd or a shell in between',
  open: () => ({
    samples: [textSample('4711 1'), textSample('4712 3')],
    decode(input) {
      const [meantFor, count] = input.toString('utf8').split(' ', 2);
      return takeSocket({ LISTEN_PID: meantFor, LISTEN_FDS: count, LISTEN_FDNAMES: 'x' }, 4711);
    },
    isDeclared: isKick('config'),
  }),
};

const GREETING = `INFO ${JSON.stringify({ server_id: 'N', version: '2.10.27', max_payload: 1 << 20, tls_required: true, connect_urls: ['10.0.0.1:4222'] })} \r\n`;
const MESSAGES = [
  'MSG kick.v1.up.c.s.1.agent 7 5\r\nhello\r\n',
  'HMSG kick.v1.dial.c.agent 9 _INBOX.x 16 18\r\nNATS/1.0 503\r\n\r\nok\r\n',
  "PING\r\n+OK\r\n-ERR 'Permissions Violation'\r\nPONG\r\n",
];

const lines: Decoder = {
  name: 'nats-lines',
  about: 'INFO, MSG and HMSG: both sides, of a broker',
  open: () => ({
    samples: [textSample(GREETING + MESSAGES.join('')), ...MESSAGES.map(textSample)],
    /** In pieces, as they may arrive. */
    decode(input) {
      const checked = new ServerLines();
      const size = 1 + (input[0] ?? 0) * 5;
      for (let at = 0; at < input.length; at += size) checked.check(input.subarray(at, at + size));
      return undefined;
    },
    isDeclared: says(/^it (is no NATS server|sends a |takes messages of )/),
    words: ['INFO ', 'MSG ', 'HMSG ', '\r\n', ' ', 'PING\r\n', '-ERR ', '999999999', '"max_payload":', '0'],
  }),
};

export const PRINTED: readonly Decoder[] = [
  ...[catalog, facts, settings, complaint, environment, group, command, socket, lines],
];
