/** Writes tickers whose figures are all the same number, one after the other, until control word 0 is set. */
import { workerData } from 'node:worker_threads';

import { TickerStore } from '../../../dist/src/ticker/ticker-store.js';

const control = new Int32Array(workerData.control);
const store = new TickerStore(workerData.tickers);

for (let stamp = 1; Atomics.load(control, 0) === 0; stamp++) {
  // Lengths change too.
  const text = String((stamp * 7919) % 1_000_003);
  store.apply(
    0,
    {
      timeMs: stamp,
      lastPrice: text,
      lastQuantity: text,
      openPrice: text,
      highPrice: text,
      lowPrice: text,
      volume: text,
      quoteVolume: text,
      priceChange: text,
      changeRate: text,
    },
    stamp,
  );
  for (let spins = stamp % 4096; spins > 0; spins--) Atomics.load(control, 0);
  if (stamp === 1) {
    Atomics.store(control, 1, 1);
    Atomics.notify(control, 1);
  }
}
