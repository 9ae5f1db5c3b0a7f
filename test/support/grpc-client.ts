import { join } from 'node:path';
import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { packageRoot } from '../../src/support/config/index.js';
import { until } from './until.js';

/** What a test looks at; the contract says what there is. */
export type Message = Readonly<Record<string, unknown>>;

/** How a call ended when it was not OK. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const contract = loadSync(join(packageRoot(), 'proto/market_data.proto'), { keepCase: true, longs: Number, enums: String, defaults: true });
export const marketData = contract['market_data.MarketDataService'] as ServiceDefinition;

/** A client of the gRPC interface over a real socket, with a connection of its own. */
export class GrpcClient {
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #streams: GrpcStream[] = [];

  /** With `ca` over TLS; `headers` are metadata of every call. */
  constructor(address: string, { ca, headers = {} }: { readonly ca?: Buffer; readonly headers?: Readonly<Record<string, string>> } = {}) {
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 };
    this.#client = new Client(address, ca === undefined ? credentials.createInsecure() : credentials.createSsl(ca), options);
    this.#metadata = Metadata.fromHttp2Headers(headers);
  }

  /** A request as it goes over the wire. */
  static encode(method: string, request: Message): Buffer {
    return (marketData[method] as MethodDefinition<object, object>).requestSerialize(request);
  }

  /** A call with one answer. Rejects with a CallFailure. */
  call(method: string, request: Message, service = marketData): Promise<Message> {
    const { path, requestSerialize, responseDeserialize } = service[method] as MethodDefinition<object, object>;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, this.#metadata, (error, answer) => {
        // A plain object, not an Error: tests compare it whole.
        // oxlint-disable-next-line prefer-promise-reject-errors -- see above
        if (error !== null) reject(failureOf(error));
        else resolve(answer as Message);
      });
    });
  }

  stream(method: string, request: Message, service = marketData): GrpcStream {
    const { path, requestSerialize, responseDeserialize } = service[method] as MethodDefinition<object, object>;
    const stream = new GrpcStream(
      this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, this.#metadata),
    );
    this.#streams.push(stream);
    return stream;
  }

  books(request: Message): GrpcStream {
    return this.stream('SubscribeToOrderBookUpdates', request);
  }

  close(): void {
    // A closed channel lets the calls that run go on.
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }
}

/** A server stream and what came of it. */
export class GrpcStream {
  readonly received: Message[] = [];
  /** Called with every message. */
  onMessage: (message: Message) => void = () => {};
  /** The status it ended with; `undefined` while it runs. */
  ended: CallFailure | undefined;
  readonly #stream: ClientReadableStream<object>;
  #taken = 0;

  constructor(stream: ClientReadableStream<object>) {
    this.#stream = stream;
    stream.on('data', (message: Message) => {
      this.received.push(message);
      this.onMessage(message);
    });
    stream.on('error', () => {});
    stream.on('status', (status: StatusObject) => {
      this.ended = failureOf(status);
    });
  }

  /** The next message nobody took yet. */
  async next(): Promise<Message> {
    await until(() => this.received.length > this.#taken || this.ended !== undefined, { what: 'a message' });
    const message = this.received[this.#taken++];
    if (message === undefined) throw new Error(`ended with ${JSON.stringify(this.ended)}`);
    return message;
  }

  /** How it ends. */
  async end(): Promise<CallFailure> {
    return until(() => this.ended, { what: 'the end of a stream' });
  }

  /** Stops reading: the server's messages pile up. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

function failureOf({ code, details, metadata }: StatusObject | ServiceError): CallFailure {
  const { date: _date, 'content-type': _type, ...words } = metadata.getMap();
  return { code, details, metadata: words as Record<string, string> };
}
