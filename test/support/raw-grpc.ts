import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import net, { type Socket } from 'node:net';

/** A message as gRPC has it on a stream. */
export function grpcFrame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export interface RawGrpcOptions {
  readonly localAddress?: string;
  /** Bytes of each stream that the server may send ahead of what is read. Default 65,535. */
  readonly window?: number;
}

/** A connection that speaks gRPC by hand, for what no honest client does. */
export class RawGrpc {
  readonly socket: Socket;
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session, socket: Socket) {
    this.#session = session;
    this.socket = socket;
    session.on('error', () => {});
  }

  static async connect(address: string, { localAddress = '127.0.0.1', window = 65_535 }: RawGrpcOptions = {}): Promise<RawGrpc> {
    const socket = net.connect({ host: '127.0.0.1', port: Number(address.split(':').at(-1)), localAddress });
    const session = http2.connect(`http://${address}`, { createConnection: () => socket, settings: { initialWindowSize: window } });
    const raw = new RawGrpc(session, socket);
    await once(session, 'connect');
    return raw;
  }

  /** Opens a call; `path` without the slash in front. */
  open(path: string): ClientHttp2Stream {
    const stream = this.#session.request({ ':method': 'POST', ':path': `/${path}`, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => {});
    return stream;
  }

  close(): void {
    this.#session.destroy();
  }
}
