/** What runs as root: every package is known, runs nothing when it is installed, and may be shipped. */
import { expect, test } from 'vitest';
import { directDependencies, objections } from '../../scripts/dependencies.ts';

test('every package of a kick that runs has a licence that we may ship, and no install script', () => {
  expect(objections()).toEqual([]);
});

test('somebody has said what each dependency is for', () => {
  expect(directDependencies().map(({ name }) => name)).toContain('express');
});
