/** How a host is reached that a group names by its sources. */
import { expect, test } from 'vitest';
import { choose, nobody } from './choosing.ts';

const INVENTORY = {
  via: 'auto',
  targets: ['web1.example.com', { name: 'web2.example.com', via: 'direct' }, 'db1.example.com'],
  groups: [
    { name: 'masked', nodes: 'web*', via: 'nats' },
    { name: 'printed', command: ['/bin/echo', 'new1 new2'], via: 'nats' },
    {
      ...{ name: 'outer', via: 'nats' },
      groups: [
        { name: 'inner', nodes: 'in[1-2]' },
        { name: 'own', nodes: 'own1', via: 'direct' },
      ],
    },
  ],
};

test('members that a mask, a program or a group inside names have it as those that are listed', async () => {
  const viaOf = async (...named: string[]) => {
    const { targets } = await choose(named, {}, { inventory: INVENTORY });
    return targets.map(({ certname, via = 'direct' }) => [certname.replace('.example.com', ''), via]);
  };
  expect(await viaOf('web1', 'web2', 'db1')).toEqual([
    ['web1', 'nats'],
    ['web2', 'direct'],
    ['db1', 'auto'],
  ]);
  // Also for hosts that are named otherwise than by the group.
  expect(await viaOf('new1', 'new3')).toEqual([
    ['new1', 'nats'],
    ['new3', 'auto'],
  ]);
  expect(await viaOf('@outer')).toEqual([
    ['in1', 'nats'],
    ['in2', 'nats'],
    ['own1', 'direct'],
  ]);
});

test('a choice of which no group says how it is reached asks none', async () => {
  const outputOf = () => Promise.reject(new Error('asked'));
  const groups = [{ name: 'printed', command: ['/bin/echo', 'new1'] }];
  const { targets } = await choose(['new1'], {}, { inventory: { groups }, sources: { ...nobody, outputOf } });
  expect(targets).toHaveLength(1);
});
