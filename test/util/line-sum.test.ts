/** A line of a log that says whether it is whole: its checksum is at its end. */
import { expect, test } from 'vitest';
import { isWholeLine, withLineSum } from '../../src/util/line-sum.ts';

const json = '{"id":"01a2","counts":{"changed":1,"failed":2},"by":"jürgen"}';

test('a line with its checksum is JSON, and whole', () => {
  expect(isWholeLine(withLineSum(json))).toBe(true);
  expect(JSON.parse(withLineSum(json))).toMatchObject(JSON.parse(json));
});

test('isWholeLine: no character of what a line says can be another one', () => {
  const line = withLineSum(json);
  for (let at = 0; at < json.length - 1; at++) {
    for (const other of ['0', '1', 'a', ' ', '"']) {
      if (line[at] === other) continue;
      expect(isWholeLine(`${line.slice(0, at)}${other}${line.slice(at + 1)}`), `${other} at ${at}`).toBe(
        false,
      );
    }
  }
});

test('a line of 0.1, which has no checksum, is whole', () => {
  expect(isWholeLine(json)).toBe(true);
});
