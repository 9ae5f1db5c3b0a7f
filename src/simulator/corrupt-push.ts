import { decodePush, encodePush, type PushLevel } from './push-codec.js';

/**
 * The push with a wrong quantity at one price: a 1 in front of the true one. It is the level farthest from the touch, which lives longest; of
 * asks, or of bids when it has no ask. A push without levels stays as it is.
 */
export function corrupted(bytes: Uint8Array): Uint8Array {
  const push = decodePush(bytes);
  const { publicAggreDepths: depths } = push;
  if (depths === undefined) return bytes;
  const { asks = [], bids = [] } = depths;
  if (asks.length > 0) return encodePush({ ...push, publicAggreDepths: { ...depths, asks: spoil(asks, 1) } });
  if (bids.length > 0) return encodePush({ ...push, publicAggreDepths: { ...depths, bids: spoil(bids, -1) } });
  return bytes;
}

function spoil(levels: readonly PushLevel[], direction: number): PushLevel[] {
  const farthest = levels.reduce((worst, level) => ((Number(level.price) - Number(worst.price)) * direction > 0 ? level : worst));
  return levels.map((level) => (level === farthest ? { ...level, quantity: `1${level.quantity}` } : level));
}
