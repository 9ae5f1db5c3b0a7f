import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { histogramBoundsUs } from '../../memory/log-histogram.js';
import type { TimesSeen } from '../../model/meters.js';
import { assert } from '../../support/assert.js';
import { type Labels, type MetricFamily, metricFamilies, type Sample } from './families.js';
import { type MetricsSources, type Reading, takeReading } from './reading.js';

const boundsSeconds = histogramBoundsUs.map((us) => us / 1e6);

/** The page of metrics. Nothing is counted here: each page is read from the words the threads count in. */
export class MetricsPage {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #sources: MetricsSources;
  #reading: Reading | undefined;
  #page: Promise<string> | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.contentType = this.#registry.contentType;
    for (const family of metricFamilies) this.#register(family);
  }

  /** In the text format of Prometheus. Those who ask while a page is made get the same one. */
  text(): Promise<string> {
    this.#page ??= this.#make().finally(() => (this.#page = undefined));
    return this.#page;
  }

  async #make(): Promise<string> {
    this.#reading = await takeReading(this.#sources);
    return this.#registry.metrics();
  }

  #read<Value>(read: (reading: Reading) => Iterable<Sample<Value>>): Iterable<Sample<Value>> {
    assert(this.#reading !== undefined, 'metrics are read page by page');
    return read(this.#reading);
  }

  #register(family: MetricFamily): void {
    const { name, help, labels } = family;
    const config = { name, help, labelNames: [...labels], registers: [this.#registry] };
    switch (family.kind) {
      case 'gauge': {
        const gauge: Gauge = new Gauge({
          ...config,
          collect: () => {
            gauge.reset();
            for (const [values, value] of this.#read(family.read)) gauge.set(values, value);
          },
        });
        return;
      }
      case 'counter': {
        const counter: Counter = new Counter({
          ...config,
          collect: () => {
            counter.reset();
            for (const [values, value] of this.#read(family.read)) counter.inc(values, value);
          },
        });
        return;
      }
      case 'histogram':
        this.#registry.registerMetric(new TimesHistogram({ ...config, registers: [] }, () => this.#read(family.read)));
        return;
      default:
        family satisfies never;
    }
  }
}

/** A histogram whose buckets were filled elsewhere. */
class TimesHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => Iterable<Sample<TimesSeen>>;

  constructor(
    config: { readonly name: string; readonly help: string; readonly labelNames: string[]; readonly registers: Registry[] },
    read: () => Iterable<Sample<TimesSeen>>,
  ) {
    super({ ...config, buckets: boundsSeconds });
    this.#name = config.name;
    this.#help = config.help;
    this.#read = read;
  }

  /** What the registry asks a histogram for when it writes text. */
  async getForPromString() {
    const values: { metricName: string; labels: Labels; value: number }[] = [];
    const add = (suffix: string, labels: Labels, value: number) => values.push({ metricName: this.#name + suffix, labels, value });
    for (const [labels, { counts, sumMs }] of this.#read()) {
      let count = 0;
      for (const [bucket, inBucket] of counts.entries()) {
        count += inBucket;
        add('_bucket', { ...labels, le: String(boundsSeconds[bucket] ?? '+Inf') }, count);
      }
      add('_sum', labels, sumMs / 1000);
      add('_count', labels, count);
    }
    return { name: this.#name, help: this.#help, type: 'histogram', values };
  }
}
