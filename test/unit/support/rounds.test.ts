import { expect, test } from 'vitest';
import { Rounds } from '../../../src/support/rounds.js';

function visited(
  rounds: Rounds<number>,
  share: number,
  isEnough: (number: number) => boolean = () => false,
): [numbers: number[], ended: boolean] {
  const numbers: number[] = [];
  const ended = rounds.next(share, (number) => numbers.push(number) > 0 && !isEnough(number));
  return [numbers, ended];
}

test('goes round and round, a share at a time', () => {
  const rounds = new Rounds(new Set([1, 2, 3, 4, 5]));
  expect([visited(rounds, 0.4), visited(rounds, 0.4), visited(rounds, 0.4)]).toEqual([
    [[1, 2], false],
    [[3, 4], false],
    [[5, 1], true],
  ]);
});

test('goes on behind where it was told that it was enough', () => {
  const rounds = new Rounds(new Set([1, 2, 3]));
  expect([visited(rounds, 1, (number) => number === 2), visited(rounds, 1)]).toEqual([
    [[1, 2], false],
    [[3, 1, 2], true],
  ]);
});

test('sees what comes, and not what went', () => {
  const set = new Set([1, 2, 3, 4]);
  const rounds = new Rounds(set);
  visited(rounds, 0.25);
  set.delete(2);
  set.add(5);
  expect(visited(rounds, 0.75)).toEqual([[3, 4, 5], false]);
});

test('of nothing every round has ended', () => {
  const set = new Set<number>();
  const rounds = new Rounds(set);
  expect(visited(rounds, 1)).toEqual([[], true]);
  set.add(1);
  expect(visited(rounds, 1)[0]).toEqual([1]);
});
