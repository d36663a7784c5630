/** The live area of a terminal: what a frame shows, and what is printed above it. */
import { describe, expect, test } from 'vitest';
import { liveRows } from '../../src/report/live-rows.ts';
import { createPace } from '../../src/report/pace.ts';
import type { HostState, Progress } from '../../src/report/progress.ts';
import { columnsOf } from '../../src/util/columns.ts';
import {
  AT,
  allRunning,
  dispatched,
  done,
  jobOf,
  liveTerminal,
  logged,
  names,
  started,
  waiting,
} from './live-terminal.ts';

const HEAD = 'by deploy (sudo) on puppet  at most 25 at once';

describe('a frame', () => {
  test('has the hosts that run longest, a bar, counts by outcome, and what is under way', () => {
    const all = names(94);
    const terminal = liveTerminal();
    terminal.on(started(all), ...allRunning(all.slice(0, 30)));
    for (const name of all.slice(0, 8)) terminal.on(done(name));
    terminal.on(done('web09', { outcome: 'changed' }), waiting('web10'), dispatched('web31'));
    terminal.on(logged('web11', 'Stage[main]: applied', AT + 12_000));
    terminal.tick(40_000);
    expect(terminal.screen()).toEqual([
      `job e41c07aa  94 hosts  ${HEAD}`,
      '',
      '  web11  running          30s  Stage[main]: applied',
      '  web12  running          29s',
      '  web13  running          28s',
      '  web14  running          27s',
      '  web15  running          26s',
      '  web16  running          25s',
      '  web17  running          24s',
      '  and 15 more',
      '  █░░░░░░░░░░░░░░░░░   9%  9 of 94 hosts  14 hosts/min  time left not known yet',
      '  8 unchanged  1 changed',
      '  40s  20 running  1 waiting  1 asked  63 to start',
      '',
    ]);
  });

  test('says what is left once as many hosts have ended as are under way', () => {
    const all = names(40);
    const terminal = liveTerminal({ columns: 100 });
    terminal.on(started(all), ...allRunning(all.slice(0, 10)));
    for (const name of all.slice(0, 10)) terminal.on(done(name, { endedAt: AT + 10_000 }));
    terminal.on(...allRunning(all.slice(10, 20)));
    terminal.tick(20_000);
    const bar = () => terminal.screen().find((row) => row.includes('%'));
    expect(bar()).toContain('25%  10 of 40 hosts  30 hosts/min  about 50s left');
    for (const name of all.slice(10)) terminal.on(done(name, { endedAt: AT + 20_000 }));
    terminal.tick();
    expect(bar()).toMatch(/█{40} 100% {2}40 of 40 hosts {2}119 hosts\/min$/);
  });

  test('is as high as half the window, and as wide as it, in every size', () => {
    const all = names(300, 'a-rather-long-name.of-a-host.in-some-data-centre.');
    const terminal = liveTerminal();
    terminal.on(started(all), ...allRunning(all.slice(0, 100)));
    for (const name of all.slice(0, 50)) terminal.on(done(name, { outcome: 'changed' }));
    for (const columns of [200, 160, 80, 60, 40, 20, 5, 1]) {
      for (const rows of [60, 24, 12, 8, 5, 2]) {
        const progress = { columns, rows, color: false, now: AT + 9000 };
        terminal.resize(columns, rows);
        terminal.tick();
        const frame = terminal.screen().slice(0, -1);
        for (const row of frame.slice(-3))
          expect(columnsOf(row), JSON.stringify(progress)).toBeLessThanOrEqual(columns);
        const bars = frame.filter((row) => /\d%/.test(row));
        if (columns >= 5) expect(bars, JSON.stringify(progress)).toHaveLength(1);
      }
    }
  });

  test('keeps to the window with wide characters, controls and colours in what hosts say', () => {
    const all = ['db1', '東京-データベース-サーバー', 'evil\u001b[2Jname\n'];
    const terminal = liveTerminal({ columns: 60, color: true });
    terminal.on(started(all), ...allRunning(all));
    for (const name of all)
      terminal.on(logged(name, `設定ファイル\u001b]0;x\u0007\r更新しました ${'長'.repeat(80)}`));
    terminal.tick(5000);
    const frame = terminal.screen();
    const hosts = frame.slice(3, 6);
    for (const row of hosts) expect(columnsOf(row)).toBeLessThan(60);
    // Their columns are below each other.
    const begins = hosts.map((row) => columnsOf(row.slice(0, row.indexOf('running'))));
    expect(new Set(begins).size).toBe(1);
    expect(hosts[0]).toMatch(/^ {2}db1 +running +5s {2}設定ファ…$/);
    expect(hosts[1]).toMatch(/^ {2}東京-データベース-サー… +running/);
    expect(hosts[2]).toContain('evil\\x1b[2Jname\\x0a');
    expect(frame).toHaveLength(9);
  });

  test('has no colours where none are wanted, and the same text with them', () => {
    const all = names(10);
    const shown = [false, true].map((color) => {
      const terminal = liveTerminal({ color });
      terminal.on(started(all), ...allRunning(all.slice(2)), done('web01'));
      terminal.on(done('web02', { outcome: 'failed' }));
      terminal.tick(3000);
      return { screen: terminal.screen(), text: terminal.written.join('') };
    });
    expect(shown[0]?.screen).toEqual(shown[1]?.screen);
    expect(shown[0]?.text).not.toMatch(/\[\d+m/);
    // The bar: what went well, what did not, and what is left.
    expect(shown[1]?.text).toMatch(/\[32m█+.{0,4}\[0m.\[31m█+.\[0m.\[2m░+/);
  });

  test('costs what is shown, not what is under way', () => {
    const visited = { count: 0 };
    class Counting extends Map<string, HostState> {
      override *[Symbol.iterator]() {
        for (const entry of super.entries()) {
          visited.count += 1;
          yield entry;
        }
        return undefined;
      }
    }
    const all = names(10_000);
    const hosts = { running: new Counting(), waiting: new Counting(), asked: new Counting() };
    for (const name of all) hosts.running.set(name, { state: 'running', since: AT, from: AT });
    const progress: Progress = {
      ...{ job: jobOf(all), startedAt: AT, dispatchMs: 0, nameColumns: 9, hosts, done: 0, counts: new Map() },
      ...{ pace: createPace(AT), pausedMs: 0, isStopping: false },
    };
    liveRows(progress, { columns: 80, rows: 50, color: false, now: AT });
    expect(visited.count).toBeLessThanOrEqual(21);
  });
});

describe('lines above the area', () => {
  test('hosts that did not do as asked are printed once, as they end; others are counted', () => {
    const terminal = liveTerminal({ rows: 16 });
    const all = names(9);
    terminal.on(started(all), ...allRunning(all));
    terminal.tick();
    terminal.on(
      done('web01'),
      done('web02', { outcome: 'failed', message: `Exec[nginx -t]: ${'no '.repeat(40)}` }),
    );
    terminal.tick();
    terminal.on(done('web03', { outcome: 'unreachable', message: 'port 8139 refused' }));
    terminal.tick(2000);
    expect(terminal.screen().slice(0, 9)).toEqual([
      `job e41c07aa  9 hosts  ${HEAD}`,
      '  web02  failed            1s  Exec[nginx -t]: no no no no no no no no no no no',
      '                               no no no no no no no no no no no no no no no no…',
      '  web03  unreachable       1s  port 8139 refused',
      '  web04  running           0s',
      '  web05  running           0s',
      '  web06  running           0s',
      '  web07  running           0s',
      '  and 2 more',
    ]);
  });

  test('what others have to say goes there, too', () => {
    const terminal = liveTerminal();
    terminal.on(started(names(2)), ...allRunning(names(2)));
    terminal.tick();
    terminal.reporter.say?.('warning: the disk is full');
    terminal.tick();
    expect(terminal.screen().slice(0, 2)).toEqual([
      `job e41c07aa  2 hosts  ${HEAD}`,
      'warning: the disk is full',
    ]);
  });

  test('hosts that a stop has left are not listed one by one', () => {
    const terminal = liveTerminal();
    const all = names(30);
    terminal.on(started(all));
    for (const name of all) terminal.on(done(name, { outcome: 'not-started' }));
    terminal.tick();
    expect(terminal.screen().filter((row) => row.includes('web'))).toEqual([]);
  });

  test("Puppet's log lines of --verbose are wrapped between words", () => {
    const terminal = liveTerminal({ columns: 40, verbose: true });
    terminal.on(
      started(['web01']),
      ...allRunning(['web01']),
      logged('web01', 'content changed from one to the other'),
    );
    terminal.tick();
    expect(terminal.screen().slice(2, 4)).toEqual([
      'web01: notice: content changed from one',
      '    to the other',
    ]);
  });
});
