import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { channelName, type PublicationSpec } from '../../model/publication.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { ClientConnection, CloseReason } from '../../publish/client-connection.js';
import type { Subscriber } from '../../publish/subscriber.js';
import { type Publication, publicationKey, type Subscription } from '../../publish/subscription.js';
import type { SkippedRun } from '../../publish/trade-backlog.js';
import { ErrorCode } from '../../support/errors.js';
import { reset } from '../access/reset.js';
import type { GatewayContext } from '../context.js';
import { canonicalSymbol } from '../symbol-directory.js';
import { JoinedOutlet } from './joined-outlet.js';
import { MessageRate } from './message-rate.js';
import {
  type ClientMessage,
  endedMessage,
  errorMessage,
  type FailedSymbol,
  type MessageId,
  parseClientMessage,
  skippedMessage,
  type SpecPattern,
  specFields,
} from './protocol.js';
import { SubscriptionBudget } from './subscription-budget.js';

/** WebSocket close codes. 1001 is the protocol's own for a server that goes away; those from 4000 up are an application's. */
const closeCodes: Readonly<Record<CloseReason, number>> = { SHUTTING_DOWN: 1001, IDLE: 4000, SLOW_CONSUMER: 4008, RATE_LIMITED: 4029 };

/** Similar names looked up for one message; each costs a look at every tracked symbol. */
const SUGGESTIONS_PER_MESSAGE = 3;

/** A `subscribe` refused for its number of symbols costs as much as so many messages: ten of them, all that it takes to follow everything, are just within the rate. */
const REFUSED_WEIGHT = 10;

type Subscribe = Extract<ClientMessage, { op: 'subscribe' }>;
type Unsubscribe = Extract<ClientMessage, { op: 'unsubscribe' }>;

/**
 * One WebSocket client: follows what it asks for, tells what it did. Data frames go to the raw socket from the hub, our own
 * answers through `ws`; both write whole frames at once, so they never mix.
 */
export class Session implements ClientConnection {
  /** The raw socket: whole frames are written to it as they are, so no extension may be in use. */
  readonly outlet: JoinedOutlet;
  readonly #socket: Duplex;
  readonly #ws: WebSocket;
  readonly #context: GatewayContext;
  readonly #subscriber: Subscriber;
  readonly #rate: MessageRate;
  readonly #budget: SubscriptionBudget;
  #heardAtMs: number;
  /** The last message, or the last time it was subscribed to something. */
  #activeAtMs: number;
  #pingedAtMs: number;
  #checkedAtMs: number;

  /** `pingPhase`, from 0 to below 1: how much of the first pause between two pings has passed already. */
  constructor(ws: WebSocket, socket: Duplex, context: GatewayContext, pingPhase: number) {
    const { limits, hub, now } = context;
    this.#ws = ws;
    this.#socket = socket;
    this.outlet = new JoinedOutlet(socket);
    this.#context = context;
    this.#rate = new MessageRate(limits.messagesPerSecond, limits.rateLimitedSeconds);
    this.#budget = new SubscriptionBudget(limits.subscriptionsPerSecond, limits.subscriptionsPerClient, now);
    this.#heardAtMs = now();
    this.#activeAtMs = this.#heardAtMs;
    this.#checkedAtMs = this.#heardAtMs;
    this.#pingedAtMs = this.#heardAtMs - pingPhase * limits.pingIntervalMs;
    this.#subscriber = hub.addClient(this);
    // With the default `binaryType` every message is one Buffer.
    ws.on('message', (data, isBinary) => this.#received(data as Buffer, isBinary));
    ws.on('ping', (data) => this.#pinged(data));
    // Nobody asks for an answer to it, but it is a message like any other.
    ws.on('pong', () => void this.#mayAnswer());
    const drained = (): void => this.#subscriber.drained();
    socket.on('drain', drained);
    ws.on('close', () => {
      socket.off('drain', drained);
      hub.removeClient(this.#subscriber);
    });
  }

  isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  close(reason: CloseReason): void {
    this.outlet.flush();
    this.#ws.close(closeCodes[reason], reason);
  }

  terminate(): void {
    reset(this.#socket);
    this.#ws.terminate();
  }

  /** Closes for good: no data any more, and whoever does not go is dropped by the hub's checks. */
  end(reason: CloseReason): void {
    this.#subscriber.close(this.#context.now(), reason);
  }

  takesState(): boolean {
    return true;
  }

  publicationEnded(publication: Publication): void {
    this.#send(endedMessage(publication.symbol.symbol, publication.spec));
  }

  tradesSkipped(publication: Publication, skipped: SkippedRun): void {
    this.#send(skippedMessage(publication.symbol.symbol, skipped, this.#context.now()));
  }

  /** Pings a quiet client, drops a dead one, closes one that wants nothing. */
  checkLife(nowMs: number): void {
    const { pingIntervalMs, deadAfterMs, idleMs } = this.#context.limits;
    const unseenMs = nowMs - this.#checkedAtMs;
    this.#checkedAtMs = nowMs;
    // The machine slept, or its clock was set: nobody could be heard in that time, and it counts against nobody.
    if (unseenMs > pingIntervalMs) {
      this.#heardAtMs += unseenMs;
      this.#activeAtMs += unseenMs;
    }
    if (nowMs - this.#heardAtMs >= deadAfterMs) {
      this.terminate();
      return;
    }
    if (this.#subscriber.subscriptions.size > 0) this.#activeAtMs = nowMs;
    if (nowMs - this.#activeAtMs >= idleMs) this.end('IDLE');
    if (nowMs - this.#pingedAtMs < pingIntervalMs || !this.isOpen()) return;
    this.#pingedAtMs = nowMs;
    this.#ws.ping();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (!this.#mayAnswer()) return;
    this.#activeAtMs = this.#heardAtMs;
    if (isBinary) {
      this.#send(errorMessage(undefined, ErrorCode.BINARY_NOT_SUPPORTED, 'messages are JSON in text frames'));
      return;
    }
    const message = parseClientMessage(data.toString(), this.#context.limits);
    switch (message.op) {
      case 'subscribe':
        this.#subscribe(message);
        return;
      case 'unsubscribe':
        this.#unsubscribe(message);
        return;
      case 'ping':
        this.#send({ op: 'pong', ...(message.id === undefined ? {} : { id: message.id }), tp: Math.trunc(this.#context.now()) });
        return;
      case 'error':
        this.#send(message);
        return;
      default:
        message satisfies never;
    }
  }

  #pinged(data: Buffer): void {
    if (this.#mayAnswer()) this.#ws.pong(data);
  }

  /** Whether one more message is followed: not when the client sends too many, nor when it does not read our answers. */
  #mayAnswer(): boolean {
    const nowMs = this.#context.now();
    this.#heardAtMs = nowMs;
    if (!this.isOpen() || this.#subscriber.closed) return false;
    if (this.outlet.writableLength > this.#context.hub.limits.hardLimitBytes) {
      this.#subscriber.closeAsSlow(nowMs);
      return false;
    }
    const verdict = this.#rate.take(nowMs);
    if (verdict === 'pass') return true;
    const text = `more than ${this.#context.limits.messagesPerSecond} messages in a second`;
    if (verdict === 'refuse') this.#send(errorMessage(undefined, ErrorCode.RATE_LIMITED, text, true));
    if (verdict === 'close') this.end('RATE_LIMITED');
    return false;
  }

  /** The acknowledgement leaves before anything is opened, so it always precedes the first data message. */
  #subscribe({ id, spec, symbols }: Subscribe): void {
    const wanted = new Set<TrackedSymbol>();
    const failed: FailedSymbol[] = [];
    const room = this.#context.limits.subscriptionsPerClient - this.#subscriber.subscriptions.size;
    let added = 0;
    let suggestions = SUGGESTIONS_PER_MESSAGE;
    for (const name of new Set(symbols)) {
      const symbol = this.#context.directory.find(name);
      if (symbol === undefined) {
        failed.push(this.#notTracked(name, suggestions-- > 0));
      } else if (wanted.has(symbol) || this.#has(symbol, spec)) {
        wanted.add(symbol);
      } else if (added < room) {
        wanted.add(symbol);
        added++;
      } else {
        failed.push(this.#overLimit(name));
      }
    }
    const waitMs = this.#budget.take(added);
    if (waitMs > 0) return this.#refuse(id, waitMs);
    this.#acknowledge('subscribed', id, spec, Array.from(wanted, nameOf), failed);
    for (const symbol of wanted) this.#context.hub.subscribe(this.#subscriber, symbol, spec);
  }

  /** Nothing of the message is followed. */
  #refuse(id: MessageId | undefined, waitMs: number): void {
    this.#rate.add(REFUSED_WEIGHT - 1, this.#context.now());
    const text = `more than ${this.#context.limits.subscriptionsPerSecond} new subscriptions in a second: possible in ${waitMs} ms`;
    this.#send(errorMessage(id, ErrorCode.RATE_LIMITED, text, true));
  }

  /** No data of an ended subscription follows the acknowledgement. */
  #unsubscribe({ id, pattern, symbols }: Unsubscribe): void {
    const matching = [...this.#subscriber.subscriptions.values()].filter((subscription) => matches(subscription, pattern));
    const wanted = symbols === 'all' ? undefined : new Map(symbols.map((name) => [canonicalSymbol(name), name]));
    const ended = new Set<string>();
    for (const subscription of matching) {
      const { symbol } = subscription.publication.symbol;
      if (wanted !== undefined && !wanted.has(canonicalSymbol(symbol))) continue;
      this.#context.hub.unsubscribe(subscription);
      ended.add(symbol);
    }
    const failed: FailedSymbol[] = [];
    for (const [canonical, name] of wanted ?? []) if (!ended.has(canonical)) failed.push(this.#notSubscribed(name));
    this.#acknowledge('unsubscribed', id, pattern, [...ended], failed);
  }

  #acknowledge(
    op: 'subscribed' | 'unsubscribed',
    id: MessageId | undefined,
    about: SpecPattern,
    ok: readonly string[],
    failed: readonly FailedSymbol[],
  ): void {
    this.#send({ op, ...(id === undefined ? {} : { id }), channel: channelName(about.channel), ...specFields(about), ok, failed });
  }

  #has(symbol: TrackedSymbol, spec: PublicationSpec): boolean {
    return this.#subscriber.subscriptions.has(publicationKey(symbol.id, spec));
  }

  #notTracked(name: string, mayLookAround: boolean): FailedSymbol {
    const { directory } = this.#context;
    const nearest = mayLookAround ? directory.nearest(name) : undefined;
    return {
      symbol: directory.shorten(name),
      code: ErrorCode.SYMBOL_NOT_TRACKED,
      message: 'not tracked',
      retryable: true,
      ...(nearest === undefined ? {} : { nearest }),
    };
  }

  #notSubscribed(name: string): FailedSymbol {
    const symbol = this.#context.directory.shorten(name);
    return { symbol, code: ErrorCode.NOT_SUBSCRIBED, message: 'no such subscription', retryable: false };
  }

  #overLimit(name: string): FailedSymbol {
    const message = `a client may have ${this.#context.limits.subscriptionsPerClient} subscriptions`;
    return { symbol: name, code: ErrorCode.SUBSCRIPTION_LIMIT, message, retryable: false };
  }

  #send(message: object): void {
    if (!this.isOpen()) return;
    // An answer comes behind the data of the time before it.
    this.outlet.flush();
    this.#ws.send(JSON.stringify(message));
  }
}

function matches({ publication }: Subscription, { channel, depth, intervalMs, candleInterval }: SpecPattern): boolean {
  const { spec } = publication;
  return (
    spec.channel === channel &&
    (depth === undefined || spec.depth === depth) &&
    (intervalMs === undefined || spec.intervalMs === intervalMs) &&
    (candleInterval === undefined || spec.candleInterval === candleInterval)
  );
}

function nameOf(symbol: TrackedSymbol): string {
  return symbol.symbol;
}
