import { connect, type Socket } from 'node:net';

const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
/** Any sixteen bytes in base64; the answer to it is not checked. */
const KEY = 'bWFueS1jbGllbnRzLTAwMQ==';
const HEAD_END = '\r\n\r\n';

export interface RawListener {
  /** A text message: `bytes` from `start` up to `end`, valid during the call only. */
  text(bytes: Buffer, start: number, end: number): void;
  /** The connection is over. */
  closed(): void;
}

/**
 * A WebSocket client that is little more than its socket, so that thousands of them leave the machine to the server: it reads frames in place, answers
 * pings, and can stop reading for good. No fragments, no extensions: the engine sends none.
 */
export class RawClient {
  readonly #socket: Socket;
  readonly #listener: RawListener;
  #rest: Buffer | undefined;

  private constructor(socket: Socket, listener: RawListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => listener.closed());
  }

  /** Resolves once the server has agreed to the WebSocket; rejects when it does not. */
  static connect(port: number, listener: RawListener): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let head = '';
      const fail = (error?: Error): void => reject(error ?? new Error(`no WebSocket: ${head.slice(0, 200)}`));
      const read = (chunk: Buffer): void => {
        head += chunk.toString('latin1');
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        socket.removeAllListeners();
        if (!head.startsWith('HTTP/1.1 101 ')) return fail();
        const client = new RawClient(socket, listener);
        socket.on('data', (data: Buffer) => client.#read(data));
        client.#read(Buffer.from(head.slice(end + HEAD_END.length), 'latin1'));
        resolve(client);
      };
      socket.on('error', fail);
      socket.on('close', () => fail());
      socket.on('data', read);
      socket.write(
        `GET /ws HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${KEY}${HEAD_END}`,
      );
    });
  }

  send(text: string): void {
    this.#socket.write(frame(TEXT, Buffer.from(text)));
  }

  /** Says that it is alive, without being asked. */
  pong(): void {
    this.#socket.write(frame(PONG, Buffer.alloc(0)));
  }

  /** From here on nothing is read. */
  stopReading(): void {
    this.#socket.pause();
  }

  terminate(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = this.#frame(bytes, at);
      if (end < 0) break;
      at = end;
    }
    // A copy: the chunk may be large, and its rest small.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  /** Takes the frame at `at` and returns where it ends; -1 = it is not all there. */
  #frame(bytes: Buffer, at: number): number {
    if (bytes.length < at + 2) return -1;
    const short = bytes[at + 1]! & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (bytes.length < start) return -1;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const end = start + length;
    if (bytes.length < end) return -1;
    const opcode = bytes[at]! & 0xf;
    if (opcode === TEXT) this.#listener.text(bytes, start, end);
    else if (opcode === PING) this.#socket.write(frame(PONG, bytes.subarray(start, end)));
    else if (opcode === CLOSE) this.#socket.end(frame(CLOSE, bytes.subarray(start, end)));
    return end;
  }
}

/** A client's frame; the mask of zeros leaves the payload as it is. Payloads of up to 64 KiB. */
function frame(opcode: number, payload: Buffer): Buffer {
  const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
