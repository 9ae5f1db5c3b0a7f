import type { Feed } from '../feed/feed.js';
import type { SnapshotBudget } from '../feed/snapshot-budget.js';
import { HISTOGRAM_DOUBLES, LogHistogram } from '../memory/log-histogram.js';
import * as meter from '../memory/shard-meter.js';
import type { EngineMeters, ShardMeters } from '../model/meters.js';
import { readTimes } from '../publish/meter-reader.js';
import type { ErrorCode } from '../support/errors.js';
import type { ShardEgress } from '../shard/egress.js';
import type { ShardIngress } from '../shard/ingress.js';
import { textRefusals } from '../shard/records.js';
import type { AuditLog } from './audit-log.js';
import type { ShardBuffers } from '../shard/task.js';

export interface MeterParts {
  readonly audits: AuditLog;
  readonly buffers: readonly ShardBuffers[];
  readonly ingress: ShardIngress;
  readonly egresses: readonly ShardEgress[];
  readonly feed: Feed;
  readonly budget: SnapshotBudget;
}

/** The main thread's own histograms, and the counters of all threads read together. Main thread only. */
export class Meters {
  readonly #published = new Float64Array(HISTOGRAM_DOUBLES);
  readonly #delays = new Float64Array(HISTOGRAM_DOUBLES);
  /** From receipt to the clients' sockets. */
  readonly published = new LogHistogram(this.#published);
  /** How late the clock rang. */
  readonly eventLoopDelay = new LogHistogram(this.#delays);

  read({ audits, buffers, ingress, egresses, feed, budget }: MeterParts): EngineMeters {
    const words = buffers.map(({ meters }) => new Float64Array(meters));
    const { auditsFailed, connectionsLost, connectionsReplaced, takeovers, counters, requests, textRefusals: early } = feed.status();
    const refused = (code: ErrorCode, kind: number): number =>
      words.reduce((sum, each) => sum + each[meter.METER_TEXT_REFUSED + kind]!, early.get(code) ?? 0);
    const total = (word: number): number => words.reduce((sum, each) => sum + each[word]!, 0);
    return {
      shards: words.map((each, shard) => readShard(shard, each, ingress, egresses[shard]!)),
      exchangeToReceived: readTimes(words, meter.METER_EXCHANGE_TO_RECEIVED),
      receivedToApplied: readTimes(words, meter.METER_RECEIVED_TO_APPLIED),
      receivedToPublished: readTimes([this.#published], 0),
      lineLead: readTimes(words, meter.METER_LINE_LEAD),
      lineWins: [total(meter.METER_LINE_WINS), total(meter.METER_LINE_WINS + 1)],
      linesHealed: total(meter.METER_LINE_HEALED),
      takeovers,
      eventLoopDelay: readTimes([this.#delays], 0),
      malformedFrames: counters.framesMalformed,
      textRefusals: Object.fromEntries(textRefusals.map((code, kind) => [code, refused(code, kind)])),
      connectionsLost,
      audits: audits.meters(auditsFailed),
      connectionsReplaced,
      requests: budget.requests,
      requestsWaiting: mapValues(requests, ({ waiting }) => waiting),
      requestsRefused: mapValues(requests, ({ refused }) => refused),
      pauses: budget.pauses,
    };
  }
}

function mapValues<Value>(record: Readonly<Record<string, Value>>, read: (value: Value) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, read(value)]));
}

function readShard(shard: number, words: Float64Array, ingress: ShardIngress, egress: ShardEgress): ShardMeters {
  return {
    shard,
    busyMs: words[meter.METER_BUSY_MS]!,
    levels: words[meter.METER_LEVELS]!,
    applied: words[meter.METER_APPLIED]!,
    dropped: words[meter.METER_DROPPED]!,
    gaps: words[meter.METER_GAPS]!,
    resyncs: words[meter.METER_RESYNCS]!,
    refused: words[meter.METER_REFUSED]!,
    crossed: words[meter.METER_CROSSED]!,
    overflows: words[meter.METER_OVERFLOWS]!,
    pendingPushes: words[meter.METER_PENDING_PUSHES]!,
    pendingBytes: words[meter.METER_PENDING_BYTES]!,
    textFrames: words[meter.METER_TEXT_FRAMES]!,
    messages: words[meter.METER_MESSAGES]!,
    inbound: { usedBytes: ingress.usedBytes(shard), capacityBytes: ingress.capacity(shard), stalls: ingress.stalls(shard) },
    pressedFrames: ingress.pressedFrames(shard),
    lostFrames: ingress.lostFrames(shard),
    outbound: { usedBytes: egress.usedBytes(), capacityBytes: egress.capacity, stalls: words[meter.METER_OUTBOUND_STALLS]! },
  };
}
