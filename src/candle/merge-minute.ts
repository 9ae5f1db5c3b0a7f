import {
  align,
  CLOSE_EXACT,
  compareVolumes,
  COMPLETE,
  copyRow,
  COUNTED,
  EXCHANGE_FINAL,
  hasFlag,
  setFlags,
  takeCounts,
} from './candle-row.js';

/**
 * One candle from what our trades say and what the exchange says, into `target`. Both change their scales to common ones.
 *
 * The exchange's figures of a candle that is over always win. While it is open the figures with more volume are the newer ones: pushes of
 * the exchange come about once a second, and none comes when the candle ends. Where both have the same volume the exchange's are taken,
 * and ours supply what it has no figures for: the number of trades and what takers bought, if all trades were seen.
 */
export function mergeMinute(target: Float64Array, trades: Float64Array, exchange: Float64Array, whole: boolean): void {
  align(trades, 0, exchange, 0);
  const order = compareVolumes(trades, 0, exchange, 0);
  if (order > 0 && !hasFlag(exchange, 0, EXCHANGE_FINAL)) {
    copyRow(target, 0, trades, 0);
    return;
  }
  copyRow(target, 0, exchange, 0);
  setFlags(target, 0, COMPLETE, COUNTED);
  if (!whole || order !== 0) return;
  takeCounts(target, 0, trades, 0);
  setFlags(target, 0, CLOSE_EXACT);
}
