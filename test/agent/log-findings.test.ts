/**
 * Who says what in the log of a run: Puppet itself, what it runs, or Ruby when it dies.
 * Long because it is one table of what they say.
 */
import { expect, test } from 'vitest';
import { createLogReader } from '../../src/agent/judge/log-findings.ts';
import type { LogLine } from '../../src/protocol/event.ts';

const PID = 4242;
const LOCK = '/x/agent_catalog_run.lock';

function findings(...lines: (LogLine | string)[]) {
  const reader = createLogReader({ runLock: LOCK, pid: PID });
  for (const line of lines) reader.add(typeof line === 'string' ? { level: 'output', message: line } : line);
  return reader.findings();
}

const puppet = (level: LogLine['level'], message: string): LogLine => ({ level, source: 'Puppet', message });
const exec = (level: LogLine['level'], message: string): LogLine => ({
  ...puppet(level, message),
  source: '/Stage[main]/Main/Exec[x]/returns',
});

test('the error shown is the first with a place in the code, never one of Facter', () => {
  expect(
    findings(
      { level: 'err', source: 'Facter', message: 'Permission denied' },
      'some output',
      puppet('err', 'first'),
      puppet('err', 'Could not find x (file: /etc/site.pp, line: 3, column: 5)'),
    ),
  ).toMatchObject({ isReason: true, error: { file: '/etc/site.pp', line: 3 } });
  expect(findings(puppet('err', 'first'), puppet('err', 'second')).error?.message).toBe('first');
});

// As Puppet 7.23 (Ruby 3.1) and 8.10 (Ruby 3.3) were seen to end on a signal, at many moments.
test.each<[string, (LogLine | string)[], string]>([
  ['its handler', [puppet('notice', 'Caught TERM; exiting')], 'SIGTERM'],
  ['its handler', [puppet('notice', 'Caught INT; exiting')], 'SIGINT'],
  [
    'its handler, which has failed',
    [puppet('err', "Could not autoload puppet/indirector/catalog/rest: can't be called from trap context")],
    'a signal',
  ],
  ['an error of Puppet', [puppet('err', 'Could not autoload puppet/type/file: SIGTERM')], 'SIGTERM'],
  [
    'the first of several errors',
    [
      puppet('err', 'Could not autoload puppet/feature/cfpropertylist: SIGHUP'),
      puppet('err', 'Could not prepare for execution: Could not autoload puppet/type/user: something else'),
    ],
    'SIGHUP',
  ],
  [
    'an error with its stack',
    [puppet('err', "Could not prepare for execution: SIGTERM\n/usr/lib/ruby/x.rb:3:in `x'")],
    'SIGTERM',
  ],
  ['the console', ['Error: Could not parse application options: SIGTERM'], 'SIGTERM'],
  [
    'the console, in red',
    ['\u001b[1;31mError: Could not initialize global default settings: SIGTERM\u001b[0m'],
    'SIGTERM',
  ],
  [
    'Ruby',
    ["/usr/lib/ruby/x.rb:37:in `require': SIGTERM (SignalException)", "\tfrom /usr/bin/puppet:4:in `<main>'"],
    'SIGTERM',
  ],
  [
    'Ruby 3.4',
    [
      "/usr/lib/ruby/x.rb:37:in 'Kernel#require': SIGTERM (SignalException)",
      "\tfrom /usr/bin/puppet:4:in '<main>'",
    ],
    'SIGTERM',
  ],
  [
    'Ruby, of a Puppet::Error',
    ["/x/processor.rb:1:in `require_relative': Could not autoload puppet/x: SIGTERM (Puppet::Error)"],
    'SIGTERM',
  ],
  [
    'Ruby, of INT',
    ["<internal:gc>:38:in `singleton_method_added': Interrupt", "\tfrom <internal:gc>:38:in `x'"],
    'SIGINT',
  ],
  [
    'rubygems, which then raises an error of its own',
    [
      `[${PID}, #<Thread:0x00007ff69d3cfc58 run>, #<SignalException: SIGTERM>, ["<internal:x>:37:in \`require'"]]`,
      "<internal:x>:167:in `ensure in require': CRITICAL: RUBYGEMS_ACTIVATION_MONITOR.owned?: before -> after (RuntimeError)",
      puppet('err', 'Could not prepare for execution: CRITICAL: RUBYGEMS_ACTIVATION_MONITOR.owned?'),
    ],
    'SIGTERM',
  ],
  [
    'rubygems, of INT',
    [`[${PID}, #<Thread:0x00007f5af5d17c78 run>, Interrupt, ["<internal:x>:37:in \`respond_to?'"]]`],
    'SIGINT',
  ],
  [
    "rubygems, where Puppet's first handler of INT has called exit",
    [
      'Cancelling startup',
      `[${PID}, #<Thread:0x00007f75477f3c80 run>, #<SystemExit: exit>, ["/x/application/agent.rb:25:in \`exit'"]]`,
      puppet('err', 'Could not autoload puppet/type/file: CRITICAL: RUBYGEMS_ACTIVATION_MONITOR.owned?'),
    ],
    'SIGINT',
  ],
  [
    'an exception that has no words',
    [
      "/x/processor.rb:1:in `require_relative': Could not autoload puppet/x:  (Puppet::Error)",
      "\tfrom /usr/bin/puppet:4:in `<main>'",
    ],
    'SIGINT',
  ],
  ['an error that has no words', ['Error: Could not initialize global default settings: '], 'SIGINT'],
])('a signal that ended Puppet, by the word of %s', (_who, lines, signal) => {
  const { caught, signal: named } = findings(...lines);
  expect(caught ?? named).toBe(signal);
});

test.each<[string, (LogLine | string)[]]>([
  ['an exec echoes it', [exec('notice', 'deploy: SIGTERM'), exec('err', 'Caught TERM; exiting')]],
  ['an exec echoes the word of the handler', [exec('notice', 'Caught TERM; exiting')]],
  ['a notify says it', [{ level: 'notice', source: 'Notify[x]', message: 'Caught TERM; exiting' }]],
  [
    'Puppet says it at another level',
    [puppet('info', 'Caught TERM; exiting'), puppet('warning', 'x: SIGTERM')],
  ],
  [
    'its handler has failed, and Puppet has gone on',
    [puppet('err', "Checksumfile /x is corrupt (can't be called from trap context); replacing")],
  ],
  ["an exec's handler has failed", [exec('err', "x: can't be called from trap context")]],
  ['HUP is stored, and ends nothing', [puppet('notice', 'Caught HUP; storing restart')]],
  ['an error quotes a command', [puppet('err', "Could not run x: Execution of '/x' returned 1: a: SIGTERM")]],
  [
    'an error on the console quotes one',
    ["Error: Could not run x: Execution of '/x' returned 1: a: SIGTERM"],
  ],
  ['a command said nothing', ["Error: Execution of '/x' returned 1: "]],
  ['an error quotes a server', [puppet('err', 'Could not retrieve: Error 500 on SERVER: hook: SIGTERM')]],
  ['a line of the console ends in it', ['deploy: SIGTERM', 'SIGTERM', 'the unit ended with: SIGTERM, again']],
  ['the handler speaks on the console', ['Caught TERM; exiting']],
  [
    "rubygems of another process, a fact's",
    ['[4243, #<Thread:0x00007ff69d3cfc58 run>, #<SignalException: SIGTERM>, ["x"]]'],
  ],
  [
    'a Ruby of a fact dies of it, and Puppet fails by something else',
    ["/opt/x.rb:3:in `sleep': SIGTERM (SignalException)", puppet('err', 'No space left on device')],
  ],
  [
    'it stands within an error',
    [puppet('err', 'Could not find class SIGTERM'), puppet('err', 'x: SIGTERM, y')],
  ],
  [
    'a record of the log is broken in two',
    [{ level: 'output', source: 'log.jsonl', message: "/x.rb:1:in `x': SIGTERM (SignalException)" }],
  ],
  [
    'the words of an exception stand below it',
    ["-e:1:in `x': Could not load:  (RuntimeError)", 'no such file', "\tfrom -e:1:in `x'"],
  ],
  ['the words of an error stand below it', ['Error: Could not read it:', 'permission denied']],
])('no signal ended Puppet where %s', (_what, lines) => {
  const { caught, signal } = findings(...lines);
  expect([caught, signal]).toEqual([undefined, undefined]);
});

test('an error names a signal plainly, or quotes somebody', () => {
  expect(findings(puppet('err', 'Could not run: SIGTERM')).plainSignal).toBe('SIGTERM');
  const quoted = findings(puppet('err', "Could not run x: Execution of '/x' returned 1: deploy: SIGTERM"));
  expect([quoted.signal, quoted.plainSignal]).toEqual([undefined, undefined]);
});

test('the lock is taken by the word of Puppet alone, at the level of a notice', () => {
  const message = `Lauf in Arbeit (${LOCK})`;
  expect(findings(puppet('notice', message)).lockTaken).toBe(message);
  expect(findings(exec('notice', message)).lockTaken).toBeUndefined();
  expect(findings(message).lockTaken).toBeUndefined();
  expect(findings(puppet('err', `Read-only file system @ rb_sysopen - ${LOCK}`))).toMatchObject({
    isReason: true,
    error: { message: expect.stringContaining('Read-only') },
  });
  expect(findings(puppet('err', message)).lockTaken).toBeUndefined();
});

test('that it is disabled is known by the command that is not translated', () => {
  const message =
    "実行をスキップ (理由: 'kernel')。\n再度有効にするには'puppet agent --enable'を使用してください。";
  expect(findings(puppet('notice', message)).saysDisabled).toBe(message);
  expect(findings(exec('notice', message)).saysDisabled).toBeUndefined();
});

const frames = (n: number) =>
  Array.from({ length: n }, (_, i) => `\tfrom /usr/lib/ruby/x.rb:${i + 1}:in \`block in x'`);

test.each<[string, string[], object]>([
  [
    'Ruby 3.1',
    [
      "/opt/x.rb:12:in `foo': undefined method `bar' for nil:NilClass (NoMethodError)",
      ...frames(40),
      "\tfrom -e:1:in `<main>'",
    ],
    { message: "undefined method `bar' for nil:NilClass (NoMethodError)", file: '/opt/x.rb', line: 12 },
  ],
  [
    'Ruby 3.4',
    ["/opt/x.rb:12:in 'Foo#bar': undefined method 'baz' for nil (NoMethodError)", "\tfrom -e:1:in '<main>'"],
    { message: "undefined method 'baz' for nil (NoMethodError)" },
  ],
  [
    'a message of several lines, with a hint',
    [
      "-e:1:in `<main>': first line (RuntimeError)",
      'second line',
      '',
      'raise "x"',
      '      ^^^',
      "\tfrom -e:1:in `<main>'",
    ],
    { message: 'first line (RuntimeError)', file: '-e', line: 1 },
  ],
  [
    'a cause below it',
    [
      "-e:1:in `rescue in <main>': outer (RuntimeError)",
      "\tfrom -e:1:in `<main>'",
      "-e:1:in `<main>': inner (IOError)",
    ],
    { message: 'outer (RuntimeError)' },
  ],
  [
    'Ruby on a terminal, the other way round',
    [
      'Traceback (most recent call last):',
      "\t1: from -e:1:in `<main>'",
      "-e:1:in `foo': boom (RuntimeError)",
    ],
    { message: 'boom (RuntimeError)' },
  ],
  [
    'a syntax error',
    ['/etc/x.rb:3: syntax error, unexpected end-of-input (SyntaxError)', "\tfrom -e:1:in `<main>'"],
    { message: 'syntax error, unexpected end-of-input (SyntaxError)', file: '/etc/x.rb', line: 3 },
  ],
  [
    'Puppet before it has a log, with --trace',
    ['Error: Could not initialize: boom', "/usr/lib/ruby/x.rb:12:in `x'", "/usr/bin/puppet:5:in `<main>'"],
    { message: 'Error: Could not initialize: boom' },
  ],
  [
    'Puppet that does not know an option',
    [
      'Error: Could not parse application options: invalid option: --x',
      "Error: Try 'puppet help agent' for usage",
    ],
    { message: 'Error: Could not parse application options: invalid option: --x' },
  ],
  [
    'a crash of Ruby itself',
    [
      '/x.rb:1: [BUG] Segmentation fault at 0x0000000000000000',
      'ruby 3.1.2p20',
      '-- Control frame information --',
      'Aborted',
    ],
    { message: expect.stringContaining('[BUG] Segmentation fault') },
  ],
  [
    'Java',
    [
      'Exception in thread "main" java.lang.IllegalStateException: boom',
      '\tat a.b.C.d(C.java:3)',
      '\t... 12 more',
    ],
    { message: 'Exception in thread "main" java.lang.IllegalStateException: boom' },
  ],
  [
    'Node',
    [
      '/x.js:1',
      'throw new TypeError("boom")',
      '^',
      '',
      'TypeError: boom',
      '    at x (/x.js:1:7)',
      '    at y',
      '',
      'Node.js v20',
    ],
    { message: 'TypeError: boom' },
  ],
  [
    'Python',
    [
      'Traceback (most recent call last):',
      '  File "x", line 1, in <module>',
      '    boom()',
      'ValueError: boom',
    ],
    { message: 'ValueError: boom' },
  ],
  [
    'Perl',
    ['boom at x.pl line 3.', '\tmain::f(1) called at x.pl line 7'],
    { message: 'boom at x.pl line 3.' },
  ],
  [
    'a program that says it last',
    ['about to fail', 'web1:8080: connected (OK)', 'it does not work'],
    { message: 'it does not work' },
  ],
])('the reason is the error and not the last line of its stack: %s', (_what, lines, error) => {
  expect(findings(...lines).error).toMatchObject(error);
});

test('what the console shows at the end is no reason, and nothing at all is silence', () => {
  expect(findings('some output')).toMatchObject({
    isReason: false,
    isSilent: false,
    error: { message: 'some output' },
  });
  expect(findings()).toEqual({ isReason: false, isPuppets: false, hasConsole: false, isSilent: true });
});
