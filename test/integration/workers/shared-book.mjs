// Reads shared books all the time and remembers what they were at each (epoch, seq); tells about them when asked.
import { parentPort, workerData } from 'node:worker_threads';
import { BookState, bookStateNames, createBookCopy, formatDecimal, openBook } from '../../../dist/src/reader.js';

const DEPTH = 20;
const KEPT = 5000;
const copy = createBookCopy(DEPTH);
const watched = workerData.map((handle) => ({ book: openBook(handle), version: -1, seen: new Map(), last: undefined, epochs: [] }));

function texts(ticks, lots, count) {
  return Array.from({ length: count }, (_, i) => [formatDecimal(ticks[i], copy.priceScale), formatDecimal(lots[i], copy.quantityScale)]);
}

/** The same side once more, without a copy. */
function walk(book, side) {
  let scales;
  let levels;
  const read = book.walk(side, {
    begin(envelope) {
      scales = { ...envelope };
      levels = [];
    },
    level(ticks, lots) {
      levels.push([formatDecimal(ticks, scales.priceScale), formatDecimal(lots, scales.quantityScale)]);
      return levels.length < DEPTH;
    },
  });
  return { read, levels, epoch: scales?.epoch, seq: scales?.seq };
}

function look(one) {
  const { book, seen } = one;
  if (book.version === one.version) return;
  one.version = book.version;
  const read = book.read(DEPTH, copy);
  one.last = read === 'ok' ? bookStateNames[copy.state] : read;
  if (read !== 'ok' || copy.state !== BookState.LIVE) return;
  if (one.epochs.at(-1) !== copy.epoch) one.epochs.push(copy.epoch);
  seen.set(`${copy.epoch} ${copy.seq}`, {
    bids: texts(copy.bidTicks, copy.bidLots, copy.bidCount),
    asks: texts(copy.askTicks, copy.askLots, copy.askCount),
  });
  if (seen.size > KEPT) seen.delete(seen.keys().next().value);
  const again = walk(book, 'bids');
  const known = seen.get(`${again.epoch} ${again.seq}`);
  if (again.read === 'ok' && known !== undefined && JSON.stringify(known.bids) !== JSON.stringify(again.levels)) {
    parentPort.postMessage({ contradiction: [known.bids, again.levels] });
  }
}

const timer = setInterval(() => watched.forEach(look), 1);
parentPort.on('message', ({ index, key, end }) => {
  if (end) {
    clearInterval(timer);
    parentPort.close();
    return;
  }
  const { book, seen, last, epochs } = watched[index];
  parentPort.postMessage({ levels: seen.get(key), last, ended: book.ended, epochs });
});
