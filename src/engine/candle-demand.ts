import { Channel, type PublicationPort, type PublicationSpec } from '../model/publication.js';

/** The exchange's candles of a symbol, one user more or less. */
export interface KlineStreams {
  openKline(symbolId: number): void;
  closeKline(symbolId: number): void;
}

/** Passes publications on to the shards, and has the exchange push the candles of a symbol as long as a client is subscribed to some. */
export class CandleDemand implements PublicationPort {
  readonly #port: PublicationPort;
  readonly #streams: KlineStreams;
  /** Open publications of candles: which symbol each is about. */
  readonly #open = new Map<number, number>();

  constructor(port: PublicationPort, streams: KlineStreams) {
    this.#port = port;
    this.#streams = streams;
  }

  open(symbolId: number, publicationId: number, spec: PublicationSpec): void {
    // One that is opened anew, after the loss of a worker, counts once.
    if (spec.channel === Channel.CANDLE && !this.#open.has(publicationId)) {
      this.#open.set(publicationId, symbolId);
      this.#streams.openKline(symbolId);
    }
    this.#port.open(symbolId, publicationId, spec);
  }

  close(symbolId: number, publicationId: number): void {
    if (this.#open.delete(publicationId)) this.#streams.closeKline(symbolId);
    this.#port.close(symbolId, publicationId);
  }

  requestSnapshot(symbolId: number, publicationId: number, token: number, reason: 'subscribe' | 'slow'): void {
    this.#port.requestSnapshot(symbolId, publicationId, token, reason);
  }
}
