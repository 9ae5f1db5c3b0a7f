import { beforeEach, expect, test } from 'vitest';

import { AnswerWatch } from '../../../src/shard/answer-watch.js';
import { nextTurn } from '../../support/next-turn.js';

/** What was done, in order. */
let done: string[];
/** Bytes each shard has not read, and bytes of its answers. */
let unread: number[];
let answers: number[];
/** What a shard does between two looks at its answers. */
let work: (shard: number) => void;
let watch: AnswerWatch;

beforeEach(() => {
  done = [];
  unread = [100, 100];
  answers = [0, 0];
  work = () => {};
  const egress = (shard: number) => ({
    attend: () => void done.push(`attend ${shard}`),
    take: () => void done.push(`take ${shard}: ${answers[shard]}`),
    usedBytes: () => {
      work(shard);
      return answers[shard]!;
    },
  });
  let nowMs = 0;
  watch = new AnswerWatch({ usedBytes: (shard) => unread[shard]! }, [egress(0), egress(1)], 1000, () => (nowMs += 0.01));
});

test('attends to all shards at once, once a turn, and looks when the sockets are read', async () => {
  answers = [8, 16];
  for (let i = 0; i < 3; i++) watch.expect();
  expect(done).toEqual(['attend 0', 'attend 1']);
  await Promise.resolve();
  expect(done).toHaveLength(2);
  await nextTurn();
  expect(done).toEqual(['attend 0', 'attend 1', 'take 0: 8', 'take 1: 16']);
  await nextTurn();
  expect(done).toHaveLength(4);
  watch.expect();
  await nextTurn();
  expect(done.slice(4)).toEqual(['attend 0', 'attend 1', 'take 0: 8', 'take 1: 16']);
});

test('takes what came just before a shard had read everything', async () => {
  let looks = 0;
  work = (shard) => {
    // It answers between a look at the answers and the one at what is unread.
    if (shard === 0 && ++looks === 3) unread[0] = 0;
    if (shard === 1) answers[1] = 24;
  };
  watch.expect();
  await nextTurn();
  expect([looks, done.slice(2)]).toEqual([3, ['take 0: 0', 'take 1: 24']]);
});

test.each([
  ['has read everything', 0],
  ['has more to read than it can in the time', 16 * 1024 + 1],
])('does not wait for a shard that %s', async (_, bytes) => {
  unread = [bytes, bytes];
  const looks = [0, 0];
  work = (shard) => void looks[shard]!++;
  watch.expect();
  await nextTurn();
  expect([looks, done.slice(2)]).toEqual([
    [1, 1],
    ['take 0: 0', 'take 1: 0'],
  ]);
});

test('goes on without a shard that says nothing, takes from it all the same, and looks more and more rarely until it answers', async () => {
  const turnsWithLook: number[] = [];
  for (let turn = 0; turn < 40; turn++) {
    if (turn === 15) answers = [8, 8];
    done = [];
    for (let shard = 0; shard < 3; shard++) watch.expect();
    await nextTurn();
    if (done.length > 0) turnsWithLook.push(turn);
    else continue;
    expect(done).toEqual(['attend 0', 'attend 1', `take 0: ${answers[0]}`, `take 1: ${answers[1]}`]);
  }
  // In vain at 0, 2, 5 and 10, however often a turn is announced; the look at 19 finds an answer.
  expect(turnsWithLook.slice(0, 6)).toEqual([0, 2, 5, 10, 19, 20]);
  expect(turnsWithLook).toHaveLength(4 + 21);
});
