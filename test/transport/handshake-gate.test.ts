/** Before TLS: who goes first, who makes room, and that a flood locks nobody out. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AddressBook } from '../../src/transport/guard/address-book.ts';
import { quietLog } from '../../src/util/quiet-log.ts';
import { captureLog } from './support.ts';
import { calm, openGate, openOf } from './visitors.ts';

test.each([
  ['address', () => '192.0.2.66'],
  ['IPv6 host', (index: number) => `2001:db8:0:1::${index}`],
])(
  'nobody is refused for being the newest: the oldest of the %s with the most makes room',
  (_, addressOf) => {
    const { visit, gate } = openGate();
    const good = visit('192.0.2.1');
    const flood = Array.from({ length: 100 }, (_, index) => visit(addressOf(index)));
    expect(good.isOpen).toBe(true);
    expect(openOf(flood)).toEqual(flood.slice(-7));
    expect(gate.size).toBe(8);
  },
);

test('those go first that had time to say something and said nothing', () => {
  const { visit, later } = openGate();
  const silent = visit('192.0.2.1');
  const speaking = Array.from({ length: 7 }, () => visit('192.0.2.66'));
  for (const one of speaking) one.speak();
  later(1000);
  visit('192.0.2.2');
  expect(silent.isOpen).toBe(false);
  expect(openOf(speaking)).toHaveLength(7);
});

test('an address from which a controller has asked keeps its places', () => {
  const { visit, book } = openGate();
  book.welcome('192.0.2.1');
  const good = [visit('192.0.2.1'), visit('192.0.2.1')];
  const flood = Array.from({ length: 100 }, (_, i) => visit(`198.51.100.${i}`));
  expect(openOf(good)).toHaveLength(2);
  expect(openOf(flood)).toHaveLength(6);
});

test('handshakes are begun one a turn, those of controllers first, then those of addresses with fewest failures', async () => {
  const { visit, book, started, gate } = openGate({ handshakesAtOnce: 10 });
  book.welcome('192.0.2.1');
  book.fail('192.0.2.66');
  const all = ['192.0.2.66', '192.0.2.3', '192.0.2.1'].map((address) => visit(address));
  for (const one of all) one.speak();
  await calm();
  expect(started).toEqual(['192.0.2.1']);
  await turn();
  await turn();
  expect(started).toEqual(['192.0.2.1', '192.0.2.3', '192.0.2.66']);
  expect(gate.size).toBe(3);
});

test('as long as more come they are taken before the next handshake begins, for sixteen turns at the most', async () => {
  const { visit, started } = openGate({ handshakes: 100, handshakesAtOnce: 10 });
  let left = 100;
  const arrive = () => {
    visit('192.0.2.2');
    left -= 1;
    if (left > 0) setImmediate(arrive);
  };
  setImmediate(arrive);
  visit('192.0.2.1').speak();
  for (let turns = 0; turns < 17; turns++) await turn();
  expect(started).toEqual([]);
  await turn();
  await turn();
  expect([started, left > 70]).toEqual([['192.0.2.1'], true]);
  left = 1;
});

test('a flood of which one speaks whenever another comes is taken from the kernel all the same', async () => {
  const { visit, started } = openGate({ handshakes: 100, handshakesAtOnce: 10 });
  let last = visit('192.0.2.66');
  let left = 12;
  const arrive = () => {
    const next = visit('192.0.2.66');
    last.speak();
    last = next;
    left -= 1;
    if (left > 0) setImmediate(arrive);
  };
  setImmediate(arrive);
  while (left > 0) await turn();
  expect(started).toEqual([]);
});

test('one who stays silent has begun no handshake', async () => {
  const { visit, started } = openGate();
  visit('192.0.2.1');
  await calm();
  await calm();
  expect(started).toEqual([]);
});

test('where TLS works on too many, the oldest of the address with the most makes room once it had its time', async () => {
  const { visit, started, later } = openGate();
  const slow = [visit('192.0.2.66'), visit('192.0.2.66')];
  for (const one of slow) one.speak();
  await calm();
  await calm();
  later(1000);
  visit('192.0.2.1').speak();
  await calm();
  expect(started).toEqual(['192.0.2.66', '192.0.2.66', '192.0.2.1']);
  // The newest was begun first, and has been worked on for longest.
  expect(slow.map(({ isOpen }) => isOpen)).toEqual([true, false]);
});

test('a controller waits for no flood: it gets a place in TLS as soon as another had a moment', async () => {
  const { book, started, visit, later } = openGate();
  book.welcome('192.0.2.1');
  const begin = async (address: string) => {
    const visitor = visit(address);
    visitor.speak();
    await calm();
    return visitor;
  };
  const flood = [await begin('192.0.2.66'), await begin('192.0.2.67')];
  later(99);
  const good = await begin('192.0.2.1');
  expect(started).toEqual(['192.0.2.66', '192.0.2.67']);
  later(1);
  await expect.poll(() => started).toContain('192.0.2.1');
  expect([good, ...flood].map(({ isOpen }) => isOpen)).toEqual([true, false, true]);
});

test('nor does an address without failures wait for those that have failed before', async () => {
  const { book, started, visit, later } = openGate({ handshakesAtOnce: 1 });
  for (let i = 0; i < 3; i++) book.fail('192.0.2.66');
  const flood = visit('192.0.2.66');
  flood.speak();
  await calm();
  later(100);
  visit('192.0.2.1').speak();
  await calm();
  expect([started, flood.isOpen]).toEqual([['192.0.2.66', '192.0.2.1'], false]);
});

test('an address that has hardly failed keeps its one connection before those of a flood, be it the oldest', async () => {
  const { book, visit, later } = openGate({ handshakesAtOnce: 2 });
  for (let i = 0; i < 5; i++) for (let fail = 0; fail < 4; fail++) book.fail(`198.51.100.${i}`);
  book.fail('192.0.2.1');
  const good = visit('192.0.2.1');
  good.speak();
  await calm();
  for (let i = 0; i < 5; i++) {
    visit(`198.51.100.${i}`).speak();
    later(1000);
    await calm();
    await calm();
  }
  expect(good.isOpen).toBe(true);
});

test('one that waited for its turn counts from its first turn in TLS, not from its arrival', async () => {
  const { started, visit, later } = openGate({ handshakesAtOnce: 1 });
  const waiting = visit('192.0.2.1');
  later(900);
  waiting.speak();
  await calm();
  later(900);
  visit('192.0.2.2').speak();
  await calm();
  expect([started, waiting.isOpen]).toEqual([['192.0.2.1'], true]);
});

test('many failures are as bad as more: the newest goes first, whatever its address has failed at before', async () => {
  const { book, started, visit } = openGate();
  for (let i = 0; i < 50; i++) book.fail('192.0.2.1');
  for (let i = 0; i < 10; i++) book.fail('192.0.2.66');
  const [old, good, newest] = [visit('192.0.2.66'), visit('192.0.2.1'), visit('192.0.2.1')];
  for (const one of [good, old, newest]) one.speak();
  await calm();
  expect(started).toEqual(['192.0.2.1']);
});

test('where more come than can be served, those whose turn has not come in time make room: they may try again', async () => {
  const { visit, later, started } = openGate({ handshakes: 100, handshakesAtOnce: 1 });
  const flood = Array.from({ length: 6 }, () => visit('192.0.2.66'));
  const good = visit('192.0.2.1');
  for (const one of [...flood, good]) one.speak();
  await calm();
  expect(started).toEqual(['192.0.2.1']);
  later(499);
  await calm();
  expect(openOf(flood)).toHaveLength(6);
  later(1);
  visit('192.0.2.66').speak();
  await expect.poll(() => openOf(flood)).toEqual(flood.slice(-2));
  expect(good.isOpen).toBe(true);
});

test('a handshake that is done is no longer counted', async () => {
  const { visit, gate, book } = openGate();
  const good = visit('192.0.2.1');
  good.speak();
  await calm();
  gate.pass(good);
  expect(gate.size).toBe(0);
  good.destroy();
  expect(book.failures('192.0.2.1')).toBe(0);
});

test('a failed handshake counts half after ten seconds, and a controller is known for a day', () => {
  let now = 0;
  const book = new AddressBook({ monotonic: () => now });
  book.fail('192.0.2.66');
  book.fail('192.0.2.66');
  book.welcome('192.0.2.1');
  now = 10_000;
  expect(book.failures('192.0.2.66')).toBeCloseTo(1, 1);
  expect(book.failures('192.0.2.1')).toBe(0);
  now = 86_399_000;
  expect(book.isKnown('192.0.2.1')).toBe(true);
  now = 86_400_000;
  expect(book.isKnown('192.0.2.1')).toBe(false);
});

test('the address book is bounded: the oldest entries go', () => {
  const book = new AddressBook({ monotonic: () => 0 });
  for (let i = 0; i < 300; i++) book.welcome(`controller ${i}`);
  for (let i = 0; i < 5000; i++) book.fail(`stranger ${i}`);
  expect([book.isKnown('controller 43'), book.isKnown('controller 44')]).toEqual([false, true]);
  expect([book.failures('stranger 903'), book.failures('stranger 904')]).toEqual([0, 1]);
});

test('quietLog writes ten lines a minute and then how many it left out', () => {
  let now = 0;
  const log = captureLog();
  const quiet = quietLog(log, { now: () => now, monotonic: () => now });
  for (let i = 0; i < 25; i++) quiet({ i }, 'knock');
  expect(log.lines).toHaveLength(10);
  now = 60_000;
  quiet({ i: 25 }, 'knock');
  quiet({ i: 26 }, 'knock');
  expect(log.lines.slice(10).map(({ fields }) => fields)).toEqual([{ i: 25, leftOut: 15 }, { i: 26 }]);
});
