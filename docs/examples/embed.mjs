// The engine inside a program of your own, and a second thread that reads a book where it lies.
//
//   node docs/examples/embed.mjs                    on a simulated exchange, which this program starts as well
//   node docs/examples/embed.mjs BTCUSDT            on MEXC
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

if (isMainThread) await main(process.argv[2]);
else await strategy(workerData);

async function main(symbol) {
  const { createEngine, startSimulator } = await import('market-data-processor');
  const exchange = symbol === undefined ? await startSimulator({ symbols: ['BTCUSDT'], rate: 8 }) : undefined;
  const addresses = exchange === undefined ? {} : { wsUrl: exchange.wsUrl, restUrl: exchange.restUrl };
  const engine = await createEngine({ symbols: [symbol ?? 'BTCUSDT'], ...addresses });

  // Messages of the push protocol, in this thread.
  const quotes = engine.subscribe({ channel: 'bbo', symbols: [symbol ?? 'BTCUSDT'], interval: 500 }, ({ b, a }) => {
    if (b) console.log(`main thread: ${b[0]} / ${a[0]}`);
  });

  // The book, in another one. What is handed over is a few words and the shared memory, never the levels.
  const worker = new Worker(new URL(import.meta.url), { workerData: engine.bookHandle(symbol ?? 'BTCUSDT') });
  worker.on('message', (text) => console.log(`other thread: ${text}`));
  await once(worker, 'exit');
  quotes.close();
  await engine.close();
  await exchange?.close();
}

async function strategy(handle) {
  const { BookState, createBookCopy, formatDecimal, openBook, toDouble } = await import('market-data-processor/reader');
  const book = openBook(handle);
  const copy = createBookCopy(5);
  for (let said = 0, version; said < 3; ) {
    await delay(10);
    if (book.version === version) continue; // nothing changed
    version = book.version;
    const read = book.read(5, copy);
    if (read === 'ended') return; // untracked, or the engine was closed
    if (read === 'busy' || copy.state !== BookState.LIVE) continue; // not now
    const bid = formatDecimal(copy.bidTicks[0], copy.priceScale);
    const ask = formatDecimal(copy.askTicks[0], copy.priceScale);
    parentPort.postMessage(`epoch ${copy.epoch} seq ${copy.seq}: ${bid} / ${ask}, ${cost(book, 1, toDouble)} for 1 unit`);
    said++;
  }
}

/** What buying `quantity` costs, level by level, without copying the book. */
function cost(book, quantity, toDouble) {
  let scales;
  let left;
  let sum;
  const read = book.walk('asks', {
    begin(envelope) {
      scales = envelope;
      left = quantity;
      sum = 0;
    },
    level(ticks, lots) {
      const taken = Math.min(left, toDouble(lots, scales.quantityScale));
      sum += taken * toDouble(ticks, scales.priceScale);
      left -= taken;
      return left > 0;
    },
  });
  return read === 'ok' && left === 0 ? sum.toFixed(2) : 'not to be had';
}
