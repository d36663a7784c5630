/** stateOwner accepts root's state directory with folders of one other user, and nothing looser. */
import { chmodSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { stateOwner } from '../../src/util/state-owner.ts';
import { giveAway, isRoot, OTHER } from '../support/other-user.ts';
import { makeShared, SERVER_USER } from '../support/shared-site.ts';
import { tempFolder } from '../support/temp.ts';

let state: string;
const at = (name: string) => join(state, name);
const refused = { code: 'untrusted' };

beforeEach(() => {
  if (!isRoot) return;
  state = join(tempFolder(), 'state');
  makeShared(state);
});

test.skipIf(!isRoot)('stateOwner names the user, and makes what is missing for them', () => {
  rmSync(at('locks'), { recursive: true });
  expect(stateOwner(state)).toMatchObject({ uid: SERVER_USER, name: 'daemon' });
  expect(statSync(at('locks'))).toMatchObject({ uid: SERVER_USER, mode: 0o40700 });
});

test.skipIf(!isRoot)('stateOwner names nobody where all is root’s, or nothing is there', () => {
  expect(stateOwner(join(state, 'none'))).toBeUndefined();
  for (const name of ['jobs', 'locks', 'web']) giveAway(at(name), 0);
  expect(stateOwner(state)).toBeUndefined();
});

test.skipIf(!isRoot)('stateOwner refuses a state directory that another user owns or can write', () => {
  chmodSync(state, 0o2770);
  giveAway(state, 0, SERVER_USER);
  chmodSync(state, 0o2770);
  expect(() => stateOwner(state)).toThrow(expect.objectContaining(refused));
  chmodSync(state, 0o711);
  giveAway(state, SERVER_USER);
  expect(() => stateOwner(state)).toThrow(expect.objectContaining(refused));
});

test.skipIf(!isRoot).each([0o770, 0o702, 0o1777])('stateOwner refuses a folder of mode %o', (mode) => {
  chmodSync(at('locks'), mode);
  expect(() => stateOwner(state)).toThrow(/can be written by others/);
});

test.skipIf(!isRoot)(
  'stateOwner refuses folders of several users, and those of a user that nobody knows',
  () => {
    giveAway(at('locks'), 0);
    expect(() => stateOwner(state)).toThrow(
      expect.objectContaining({ ...refused, hint: expect.stringContaining('chown -R daemon: ') }),
    );
    for (const name of ['jobs', 'locks', 'web']) giveAway(at(name), OTHER);
    expect(() => stateOwner(state)).toThrow(/not in \/etc\/passwd/);
  },
);

test.skipIf(!isRoot)('stateOwner refuses what is no folder, also a link to one', () => {
  rmSync(at('jobs'), { recursive: true });
  symlinkSync('/etc', at('jobs'));
  giveAway(at('jobs'), SERVER_USER);
  expect(() => stateOwner(state)).toThrow(/is no folder/);
  rmSync(at('jobs'));
  writeFileSync(at('jobs'), '');
  giveAway(at('jobs'), SERVER_USER);
  expect(() => stateOwner(state)).toThrow(/is no folder/);
});
