import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { JoinedOutlet } from '../../../src/gateway/ws/joined-outlet.js';

/** Keeps what is written, call by call. */
class Sink extends Duplex {
  readonly writes: Buffer[] = [];
  batches = 0;
  held: (() => void) | undefined;
  readonly #holds: boolean;

  constructor(holds = false) {
    super({ writableHighWaterMark: 100 });
    this.#holds = holds;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(chunk);
    this.#end(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.batches++;
    for (const { chunk } of chunks) this.writes.push(chunk);
    this.#end(done);
  }

  #end(done: () => void): void {
    if (this.#holds) this.held = done;
    else done();
  }
}

const frames = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')];

function turn(outlet: JoinedOutlet, list: readonly Buffer[]): void {
  outlet.cork();
  for (const frame of list) outlet.write(frame);
  outlet.uncork();
}

test('the frames of a turn leave as one piece, which clients with the same frames share', () => {
  const [first, second, third] = [new Sink(), new Sink(), new Sink()];
  turn(new JoinedOutlet(first), frames);
  turn(new JoinedOutlet(second), frames);
  turn(new JoinedOutlet(third), frames.slice(0, 2));
  expect([first, second, third].map(({ writes }) => writes.map(String))).toEqual([['onetwothree'], ['onetwothree'], ['onetwo']]);
  expect(second.writes[0]).toBe(first.writes[0]);
});

test('equal bytes in other buffers are joined anew', () => {
  const [first, second] = [new Sink(), new Sink()];
  turn(new JoinedOutlet(first), frames);
  turn(
    new JoinedOutlet(second),
    frames.map((frame) => Buffer.from(frame)),
  );
  expect(second.writes).toEqual(first.writes);
  expect(second.writes[0]).not.toBe(first.writes[0]);
});

test('a single frame leaves as it is, and an empty turn writes nothing', () => {
  const sink = new Sink();
  const outlet = new JoinedOutlet(sink);
  turn(outlet, [frames[0]!]);
  turn(outlet, []);
  expect(sink.writes).toEqual([frames[0]]);
  expect(sink.writes[0]).toBe(frames[0]);
});

test('outside of a turn a frame leaves at once', () => {
  const sink = new Sink();
  new JoinedOutlet(sink).write(frames[0]!);
  expect(sink.writes).toEqual([frames[0]]);
});

test('a large turn leaves frame by frame in one batch', () => {
  const sink = new Sink();
  const large = [Buffer.alloc(40_000, 1), Buffer.alloc(40_000, 2)];
  turn(new JoinedOutlet(sink), large);
  expect([sink.batches, sink.writes.map(({ length }) => length)]).toEqual([1, [40_000, 40_000]]);
});

test('what is held back can be written before the turn ends', () => {
  const sink = new Sink();
  const outlet = new JoinedOutlet(sink);
  outlet.cork();
  outlet.write(frames[0]!);
  outlet.flush();
  outlet.write(frames[1]!);
  outlet.write(frames[2]!);
  expect(sink.writes.map(String)).toEqual(['one']);
  outlet.uncork();
  expect(sink.writes.map(String)).toEqual(['one', 'twothree']);
});

test('what is held back counts, and calls for a drain once it is past the mark of the socket', () => {
  const sink = new Sink(true);
  const outlet = new JoinedOutlet(sink);
  outlet.cork();
  outlet.write(Buffer.alloc(60));
  expect([outlet.writableLength, outlet.writableNeedDrain, sink.writableLength]).toEqual([60, false, 0]);
  outlet.write(Buffer.alloc(60));
  expect([outlet.writableLength, outlet.writableNeedDrain]).toEqual([120, true]);
  outlet.uncork();
  expect([outlet.writableLength, outlet.writableNeedDrain, sink.writableLength]).toEqual([120, true, 120]);
});
