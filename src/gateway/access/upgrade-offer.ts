import { IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * A request of which only WebSocket counts as an upgrade. Java's own client and `curl --http2` offer h2c with each request; a server that does not speak what
 * is offered goes on as if nothing were (RFC 9110, section 7.8), where Node would hand the connection over.
 */
export class OfferedRequest extends IncomingMessage {
  /** What Node's parser found. A property without a value here, as the base's constructor sets it through the accessor. */
  declare private asked: boolean | null;

  get upgrade(): boolean {
    return this.asked === true && (this.method === 'CONNECT' || offersWebSocket(this.headers.upgrade));
  }

  set upgrade(asked: boolean | null) {
    this.asked = asked;
  }

  /** Something else was offered, which nobody takes. */
  get isPassedOver(): boolean {
    return this.asked === true && !this.upgrade;
  }
}

/**
 * Ends a connection behind the answer to a request whose offer was passed over: Node's parser takes what a client sent behind such a request for the
 * other protocol. To be called before the server answers anything.
 */
export function closeBehindOffers(server: Server): void {
  server.prependListener('request', (request: OfferedRequest, response: ServerResponse<OfferedRequest>) => {
    if (!request.isPassedOver) return;
    response.shouldKeepAlive = false;
    // An answer may have said otherwise.
    response.once('finish', () => request.socket.destroySoon());
  });
}

function offersWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket') ?? false;
}
