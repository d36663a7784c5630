/** After TLS: how many connections the holder of a certificate may have, and whose goes when there are too many. */
import { describe, expect, test } from 'vitest';
import { OpenConnections } from '../../src/transport/guard/open-connections.ts';

const LIMITS = { connections: 6, perKnown: 4, strangers: 4, perStranger: 2 };

function openPlaces() {
  const gone: string[] = [];
  const open = new OpenConnections<string>(LIMITS, (connection) => gone.push(connection));
  const controller = (name: string, connection: string) => open.add(connection, { name, isKnown: true });
  const stranger = (name: string, connection: string) => open.add(connection, { name, isKnown: false });
  return { open, gone, controller, stranger };
}

describe('the certificate of a host that is no controller', () => {
  test('has a few places, and its oldest connection makes room', () => {
    const { gone, stranger } = openPlaces();
    for (const connection of ['a', 'b', 'c', 'd']) stranger('web1', connection);
    expect(gone).toEqual(['a', 'b']);
  });

  test('shares a few with all of its kind: the one with the most makes room', () => {
    const { gone, stranger } = openPlaces();
    stranger('web1', 'a');
    stranger('web1', 'b');
    stranger('web2', 'c');
    stranger('web3', 'd');
    stranger('web4', 'e');
    expect(gone).toEqual(['a']);
  });

  test('never takes the place of a controller', () => {
    const { gone, open, controller, stranger } = openPlaces();
    for (const connection of ['1', '2', '3', '4']) controller('puppet', connection);
    for (let i = 0; i < 100; i++) stranger(`web${i}`, `s${i}`);
    expect(gone.every((connection) => connection.startsWith('s'))).toBe(true);
    expect(open.size).toBe(8);
  });
});

test('who shows only by a request that it is no stranger has its place from then on', () => {
  const { gone, open, stranger } = openPlaces();
  for (const connection of ['a', 'b']) {
    stranger('192.0.2.1', connection);
    open.know(connection);
  }
  for (let i = 0; i < 9; i++) stranger('192.0.2.1', `s${i}`);
  expect(gone).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
  for (const connection of ['c', 'd', 'e']) {
    stranger('192.0.2.1', connection);
    open.know(connection);
  }
  expect(gone.filter((connection) => !connection.startsWith('s'))).toEqual(['a']);
});

describe('a controller', () => {
  test('gives up its unused connections before those in use, the oldest first', () => {
    const { gone, open, controller } = openPlaces();
    for (const connection of ['1', '2', '3', '4']) controller('puppet', connection);
    open.use('1');
    controller('puppet', '5');
    for (const used of ['3', '4', '5']) open.use(used);
    controller('puppet', '6');
    expect(gone).toEqual(['2', '1']);
  });

  test('makes room for another one where there are too many in all', () => {
    const { gone, open, controller } = openPlaces();
    for (const connection of ['1', '2', '3', '4']) controller('puppet', connection);
    for (const used of ['1', '2', '3', '4']) open.use(used);
    controller('other', '5');
    controller('other', '6');
    open.use('5');
    open.use('6');
    controller('third', '7');
    expect(gone).toEqual(['1']);
  });

  test('has its places again when connections have ended', () => {
    const { gone, open, controller } = openPlaces();
    for (const connection of ['1', '2', '3', '4']) controller('puppet', connection);
    open.delete('1');
    controller('puppet', '5');
    expect(gone).toEqual([]);
    expect(open.unused()).toEqual(['2', '3', '4', '5']);
  });
});
