/** The live area of a terminal, drawn again and again: whole frames of a window whose size changes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AT,
  allRunning,
  done,
  type LiveTerminal,
  liveTerminal,
  logged,
  names,
  running,
  started,
} from './live-terminal.ts';

describe('drawing', () => {
  test('writes nothing where nothing has changed, and once for many events', () => {
    const terminal = liveTerminal();
    const all = names(20);
    terminal.on(started(all), ...allRunning(all));
    terminal.tick();
    const before = terminal.written.length;
    terminal.tick(0);
    expect(terminal.written).toHaveLength(before);
    for (const name of all.slice(0, 10)) terminal.on(done(name));
    expect(terminal.written).toHaveLength(before);
    terminal.tick(0);
    expect(terminal.written).toHaveLength(before + 1);
  });

  test('a row that has not changed is not written again', () => {
    const terminal = liveTerminal();
    terminal.on(started(['web01', 'web02']), running('web01', AT), running('web02', AT));
    terminal.on(logged('web01', 'first'));
    terminal.tick(900);
    terminal.on(logged('web02', 'second'));
    terminal.tick(0);
    expect(terminal.written.at(-1)).toContain('second');
    expect(terminal.written.at(-1)).not.toContain('first');
  });

  test('begins below what a shell has written meanwhile', () => {
    const terminal = liveTerminal();
    terminal.on(started(['web01']), ...allRunning(['web01']));
    terminal.tick();
    const rows = terminal.screen().length;
    terminal.reporter.redraw?.();
    terminal.tick();
    expect(terminal.screen()).toHaveLength(2 * rows - 2);
  });

  test('ends with the summary, in the place of the area and not wider than the window', async () => {
    const terminal = liveTerminal({ columns: 50 });
    const all = names(3);
    terminal.on(started(all), ...allRunning(all));
    terminal.tick();
    const failed = {
      outcome: 'failed',
      message: 'change from notrun to 0 failed: /bin/false returned 1',
    } as const;
    const events = [done('web01'), done('web02', failed), done('web03')];
    terminal.on(...events);
    const results = events.flatMap((event) => (event.type === 'host-done' ? [event.result] : []));
    terminal.on({ type: 'job-done', at: AT + 2000, results });
    terminal.tick();
    await terminal.reporter.close();
    const text = [...terminal.gone(), ...terminal.screen()].join('\n');
    expect(text).not.toMatch(/[█░]|running/);
    expect(text).toContain('Pass / Fail: 2 / 1');
    // No word is broken.
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`web02 failed 1s ${failed.message} web03`);
    for (const row of terminal.screen()) expect(row.length).toBeLessThan(50);
  });
});

describe('a window that changes its size', () => {
  const begin = (): LiveTerminal => {
    const terminal = liveTerminal({ columns: 100, rows: 30 });
    const all = names(60);
    terminal.on(started(all), ...allRunning(all.slice(0, 40)));
    for (const name of all.slice(10, 40))
      terminal.on(logged(name, 'a log line that is as long as the window '.repeat(3)));
    terminal.on(done('web01', { outcome: 'failed', message: 'it is broken' }));
    terminal.tick();
    return terminal;
  };
  const isWhole = (terminal: LiveTerminal) => {
    terminal.tick();
    const screen = terminal.screen();
    expect(screen.filter((row) => /[█░]/.test(row))).toHaveLength(1);
    expect(screen.filter((row) => row.includes(' more'))).toHaveLength(1);
    return screen;
  };

  test.each([
    ['narrower', 60, 30],
    ['wider', 160, 30],
    ['shorter', 100, 15],
    ['higher', 100, 60],
    ['narrower and shorter', 50, 12],
  ])('%s: one area, and nothing of the one before', (_name, columns, rows) => {
    const terminal = begin();
    terminal.resize(columns, rows);
    const screen = isWhole(terminal);
    expect([...terminal.gone(), ...screen].join('').replaceAll(/\s+/g, ' ')).toContain('it is broken');
  });

  test('small for a moment, between two drawings: what had left it at its top is drawn again', () => {
    const terminal = begin();
    terminal.resize(30, 6);
    terminal.resize(99, 20);
    isWhole(terminal);
  });

  test('however often, whatever is printed meanwhile: every failure stays, once', () => {
    const size = fc.tuple(fc.integer({ min: 30, max: 120 }), fc.integer({ min: 6, max: 50 }));
    const step = fc.oneof(
      fc.record({ resize: size }),
      fc.record({ end: fc.nat({ max: 59 }) }),
      fc.constant({ tick: true }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const terminal = begin();
        const failed = new Set(['web01']);
        for (const one of steps) {
          if ('resize' in one) terminal.resize(...one.resize);
          else if ('tick' in one) terminal.tick(0);
          else {
            const name = `web${String(one.end + 1).padStart(2, '0')}`;
            if (!failed.has(name)) terminal.on(done(name, { outcome: 'failed' }));
            failed.add(name);
          }
        }
        isWhole(terminal);
        const all = [...terminal.gone(), ...terminal.screen()];
        const printed = all.filter((row) => /^ {2}web\d\d +failed /.test(row)).map((row) => row.slice(2, 7));
        expect(printed.sort()).toEqual([...failed].sort());
      }),
    );
  });
});
