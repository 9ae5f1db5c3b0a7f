/** Time a frame takes with so many workers, in microseconds. */
export interface Point {
  readonly workers: number;
  readonly micros: number;
}

/** `serial + parallel / workers` microseconds a frame. */
export interface Fit {
  readonly serial: number;
  readonly parallel: number;
}

/** Least squares over the points; neither part is below zero. */
export function fitScaling(points: readonly Point[]): Fit {
  const count = points.length;
  const x = points.map(({ workers }) => 1 / workers);
  const y = points.map(({ micros }) => micros);
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / count;
  const meanX = mean(x);
  const meanY = mean(y);
  const spread = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const slope = spread === 0 ? 0 : x.reduce((sum, value, i) => sum + (value - meanX) * (y[i]! - meanY), 0) / spread;
  const parallel = Math.min(Math.max(0, slope), meanY / meanX);
  return { serial: Math.max(0, meanY - parallel * meanX), parallel };
}

/** From how many workers on the main thread, which needs `mainMicros` a frame, would be the limit. */
export function workersUntilMainLimits({ parallel }: Fit, mainMicros: number): number {
  return parallel / mainMicros;
}
