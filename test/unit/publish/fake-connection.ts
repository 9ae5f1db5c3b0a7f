import type { ClientConnection, CloseReason } from '../../../src/publish/client-connection.js';
import type { Publication } from '../../../src/publish/subscription.js';
import type { SkippedRun } from '../../../src/publish/trade-backlog.js';

/** A socket whose buffer the test empties. */
class FakeSocket {
  writableLength = 0;
  writableNeedDrain = false;
  corked = 0;
  /** Frames of one `uncork`, i.e. of one write to the system. */
  readonly writes: string[][] = [];
  #batch: string[] = [];

  cork(): void {
    this.corked++;
  }

  uncork(): void {
    if (--this.corked > 0 || this.#batch.length === 0) return;
    this.writes.push(this.#batch);
    this.#batch = [];
  }

  write(frame: Buffer): boolean {
    if (this.corked === 0) throw new Error('a frame outside of a turn');
    this.#batch.push(payloadOf(frame));
    this.writableLength += frame.length;
    this.writableNeedDrain = true;
    return false;
  }
}

export class FakeConnection implements ClientConnection {
  readonly fakeSocket = new FakeSocket();
  readonly outlet = this.fakeSocket;
  open = true;
  closedWith: CloseReason | undefined;
  terminated = 0;
  readonly ended: string[] = [];

  isOpen(): boolean {
    return this.open;
  }

  close(reason: CloseReason): void {
    this.closedWith = reason;
    this.open = false;
  }

  terminate(): void {
    this.terminated++;
  }

  takesState(): boolean {
    return true;
  }

  publicationEnded(publication: Publication): void {
    this.ended.push(publication.key);
  }

  tradesSkipped({ key }: Publication, { prev, seq, count }: SkippedRun): void {
    this.outlet.write(Buffer.from(`\x81\x00skipped ${key} ${prev}-${seq} ${count}`, 'latin1'));
  }

  /** All payloads written so far; the list starts anew. */
  taken(): string[] {
    return this.fakeSocket.writes.splice(0).flat();
  }

  /** The client has read everything. */
  drain(): void {
    this.fakeSocket.writableLength = 0;
    this.fakeSocket.writableNeedDrain = false;
  }

  /** The client is behind by so many bytes. */
  lag(bytes: number): void {
    this.fakeSocket.writableLength = bytes;
    this.fakeSocket.writableNeedDrain = true;
  }
}

function payloadOf(frame: Buffer): string {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10).toString();
}
