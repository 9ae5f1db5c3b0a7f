"""A client of the gRPC interface, in Python, beside the REST one: at the same version of a book both must show the same numbers.

    client.py GRPC_ADDRESS REST_URL STUBS MODULE

STUBS is the folder of the generated modules; MODULE is `market_data`, or `contract` for the copy of the contract that ends at field 99.
Prints one JSON object: what was seen. Ends with an error when anything differs.
"""

import json
import sys
import time
import urllib.request

address, rest_url, stubs, module = sys.argv[1:]
sys.path.insert(0, stubs)

import grpc  # noqa: E402

messages = __import__(f'{module}_pb2')
services = __import__(f'{module}_pb2_grpc')
full = module == 'market_data'

SYMBOL = 'BTCUSDT'
DEPTH = 10
WAIT_S = 15

channel = grpc.insecure_channel(address)
stub = services.MarketDataServiceStub(channel)
report = {}


def rest(path):
    with urllib.request.urlopen(rest_url + path) as answer:
        return json.load(answer)


def until(probe, what):
    """The first result that is not None; an error when it takes too long."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = probe()
        if found is not None:
            return found
        time.sleep(0.005)
    raise AssertionError(f'waited {WAIT_S} s for {what}')


def equal(ours, theirs, what):
    if ours != theirs:
        raise AssertionError(f'{what}: gRPC {ours!r}, REST {theirs!r}')


def levels(side):
    return [[entry.price, entry.quantity] for entry in side]


def same_book(book):
    """Whether REST shows the book of this moment; compares everything when it does."""
    other = rest(f'/orderbook/{SYMBOL}?depth={DEPTH}&numbers=float')
    if book.last_update_id != other['version']:
        return None
    equal(book.symbol, SYMBOL, 'symbol')
    equal(levels(book.bids), other['bids'], 'bids')
    equal(levels(book.asks), other['asks'], 'asks')
    equal(len(book.bids), DEPTH, 'depth')
    equal(book.timestamp, other['te'] or 0, 'timestamp')
    if full:
        equal((book.epoch, book.seq), (other['epoch'], other['seq']), 'epoch and seq')
        equal(messages.BookState.Name(book.state), other['state'].upper(), 'state')
        equal(book.received_at, other['tr'], 'received_at')
    return other['version']


def get_order_book():
    request = messages.OrderBookRequest(symbol=SYMBOL, depth=DEPTH)
    report['GetOrderBook'] = until(lambda: same_book(stub.GetOrderBook(request)), 'a book REST has too')
    if full:
        exact = stub.GetOrderBook(messages.OrderBookRequest(symbol=SYMBOL, depth=DEPTH, exact=True))
        for entry in [*exact.bids, *exact.asks]:
            equal((entry.price, entry.quantity), (float(entry.price_text), float(entry.quantity_text)), 'exact texts')


def subscribe_to_order_book_updates():
    request = messages.OrderBookSubscriptionRequest(symbol=SYMBOL, depth=DEPTH, update_speed=100)
    call = stub.SubscribeToOrderBookUpdates(request, timeout=WAIT_S)
    seen = 0
    matched = None
    for update in call:
        equal(update.symbol, SYMBOL, 'symbol')
        equal(update.is_snapshot, True, 'is_snapshot')
        equal((len(update.order_book.bids), len(update.order_book.asks)), (DEPTH, DEPTH), 'depth of an update')
        seen += 1
        matched = matched or same_book(update.order_book)
        if matched and seen >= 3:
            break
    call.cancel()
    report['SubscribeToOrderBookUpdates'] = {'updates': seen, 'matched': matched}


def follow_deltas():
    """Rebuilds the book from deltas, by the client's rule."""
    request = messages.OrderBookSubscriptionRequest(symbol=SYMBOL, depth=DEPTH, mode=messages.DELTAS)
    call = stub.SubscribeToOrderBookUpdates(request, timeout=WAIT_S)
    bids, asks, position, deltas, matched = {}, {}, None, 0, None
    for update in call:
        book = update.order_book
        if update.is_snapshot:
            bids.clear()
            asks.clear()
        else:
            equal((book.epoch, update.prev), position, 'the position a delta continues')
            deltas += 1
        for side, changes in ((bids, book.bids), (asks, book.asks)):
            for entry in changes:
                if entry.quantity == 0:
                    del side[entry.price]
                else:
                    side[entry.price] = entry.quantity
        position = (book.epoch, book.seq)
        other = rest(f'/orderbook/{SYMBOL}?depth={DEPTH}&numbers=float')
        if (other['epoch'], other['seq']) == position:
            equal([[price, bids[price]] for price in sorted(bids, reverse=True)], other['bids'], 'rebuilt bids')
            equal([[price, asks[price]] for price in sorted(asks)], other['asks'], 'rebuilt asks')
            matched = position
        if matched and deltas >= 3:
            break
    call.cancel()
    report['deltas'] = {'deltas': deltas, 'matched': matched}


TRADE_FIELDS = ['id', 'symbol', 'buyer_order_id', 'seller_order_id', 'timestamp', 'is_buyer_maker']


def same_trade(trade, other):
    """`other` is the trade as REST has it, in decimal text; what the exchange does not supply is null there and 0 here."""
    for field in TRADE_FIELDS:
        equal(getattr(trade, field), other[field] or 0, field)
    equal((trade.price, trade.quantity), (float(other['price']), float(other['quantity'])), 'price and quantity')
    if full:
        texts = (trade.price_text, trade.quantity_text, trade.exchange_id)
        equal(texts, (other['price'], other['quantity'], other['exchange_id'] or ''), 'texts of a trade')


def get_recent_trades():
    def probe():
        try:
            answer = stub.GetRecentTrades(messages.RecentTradesRequest(symbol=SYMBOL, limit=20))
        except grpc.RpcError as error:
            # Until the exchange has said what was traded last.
            equal(error.code(), grpc.StatusCode.UNAVAILABLE, 'status while there are no trades')
            return None
        other = rest(f'/trades/{SYMBOL}?limit=20')
        if [trade.id for trade in answer.trades] != [trade['id'] for trade in other['trades']] or not answer.trades:
            return None
        for trade, theirs in zip(answer.trades, other['trades']):
            same_trade(trade, theirs)
        if full:
            equal((answer.epoch, answer.seq, answer.next or None), (other['epoch'], other['seq'], other['next']), 'the page')
        return len(answer.trades)

    report['GetRecentTrades'] = until(probe, 'trades REST has too')


def subscribe_to_trades():
    call = stub.SubscribeToTrades(messages.TradeSubscriptionRequest(symbol=SYMBOL), timeout=WAIT_S)
    seen = []
    for update in call:
        seen.append(update.trade)
        if len(seen) == 3:
            break
    call.cancel()
    first = seen[0].id
    equal([trade.id for trade in seen], [first, first + 1, first + 2], 'ids of a stream')
    theirs = {trade['id']: trade for trade in rest(f'/trades/{SYMBOL}?limit=1000')['trades']}
    for trade in seen:
        same_trade(trade, theirs[trade.id])
    report['SubscribeToTrades'] = len(seen)


TICKER_FIELDS = [field.name for field in messages.TickerResponse.DESCRIPTOR.fields if field.number < 100]


def same_ticker(ticker):
    """Whether REST says the same at this moment."""
    other = rest(f'/ticker/{SYMBOL}')
    ours = {field: getattr(ticker, field) for field in TICKER_FIELDS}
    theirs = {field: float(other[field]) if isinstance(other[field], str) and field != 'symbol' else other[field] or 0 for field in TICKER_FIELDS}
    if ours != theirs:
        return None
    if full:
        text = ticker.text
        for field in [field.name for field in messages.TickerText.DESCRIPTOR.fields]:
            equal(getattr(text, field) if text.HasField(field) else None, other[field], f'text of {field}')
        equal((ticker.epoch, ticker.seq), (other['epoch'], other['seq']), 'epoch and seq of the ticker')
    return {field: value for field, value in ours.items() if value}


def get_ticker():
    equal(len(TICKER_FIELDS), 20, 'fields of a ticker')
    found = until(lambda: same_ticker(stub.GetTicker(messages.TickerRequest(symbol=SYMBOL))), 'a ticker REST has too')
    report['GetTicker'] = found


def subscribe_to_tickers():
    call = stub.SubscribeToTickers(messages.TickerSubscriptionRequest(symbol=SYMBOL), timeout=WAIT_S)
    seen = 0
    for update in call:
        seen += 1
        if same_ticker(update.ticker):
            break
    else:
        raise AssertionError(f'{seen} tickers, none of which REST had')
    call.cancel()
    report['SubscribeToTickers'] = seen


def statuses():
    def failure(request):
        try:
            stub.GetOrderBook(request)
        except grpc.RpcError as error:
            return [error.code().name, dict(error.trailing_metadata()).get('code')]
        return None

    report['statuses'] = [
        failure(messages.OrderBookRequest(symbol='NOPE')),
        failure(messages.OrderBookRequest(symbol=SYMBOL, depth=-1)),
    ]


def health():
    import health_pb2
    import health_pb2_grpc

    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service='market_data.MarketDataService'))
    report['health'] = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def reflection():
    """What a tool without the file learns: the services, and the contract itself."""
    import reflection_pb2
    import reflection_pb2_grpc
    from google.protobuf import descriptor_pb2

    ask = reflection_pb2.ServerReflectionRequest
    questions = [ask(list_services=''), ask(file_containing_symbol='market_data.MarketDataService')]
    services_answer, file_answer = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter(questions))
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(raw) for raw in file_answer.file_descriptor_response.file_descriptor_proto
    ]
    report['reflection'] = {
        'services': sorted(service.name for service in services_answer.list_services_response.service),
        'methods': [method.name for file in files for service in file.service for method in service.method],
    }


get_order_book()
subscribe_to_order_book_updates()
get_recent_trades()
subscribe_to_trades()
get_ticker()
subscribe_to_tickers()
if full:
    follow_deltas()
    statuses()
    health()
    reflection()
print(json.dumps(report))
