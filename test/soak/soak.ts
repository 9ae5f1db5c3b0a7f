import type { EngineStatus } from '../../src/model/market-data.js';
import type { FanOutStatus } from '../../src/publish/publication-hub.js';
import type { FaultSpec } from '../../src/simulator/simulator.js';
import type { Ended } from '../support/mdp-process.js';
import { parsePage } from '../support/prometheus.js';
import { until } from '../support/until.js';
import { again, ask, askJson } from './ask.js';
import { BookClient, type ClientTally, count, type Wish } from './book-client.js';
import { FaultMix } from './fault-mix.js';
import { type Flatness, flatnessOf } from './flatness.js';
import type { SoakOptions } from './options.js';
import type { Vital } from './probe.js';
import { RestAsker } from './rest-asker.js';
import { type Listed, Truth } from './truth.js';
import { type LogLine, WatchedProcess } from './watched-process.js';

type Status = EngineStatus & { readonly clients: FanOutStatus };

/** What a run came to. */
export interface SoakResult {
  readonly options: SoakOptions;
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  readonly compared: ReadonlyMap<string, number>;
  readonly tooOld: number;
  readonly notLiveAnswers: number;
  readonly busyAnswers: number;
  readonly askedAgain: number;
  readonly status: Status | undefined;
  readonly metrics: ReadonlyMap<string, number>;
  readonly killed: number;
  readonly faults: ReadonlyMap<string, number>;
  /** Of those, by the exchange's own count. */
  readonly faultsBegun: number;
  readonly tally: ClientTally;
  readonly slowClosed: ReadonlyMap<string, number>;
  /** Share of all books and looks, percent. */
  readonly liveShare: number;
  readonly warmUpSeconds: number;
  readonly measuredSeconds: number;
  readonly memory: Flatness;
  readonly lastVital: Vital | undefined;
  /** Cores busy after the warm-up. */
  readonly cores: { readonly engine: number; readonly simulator: number; readonly harness: number };
  readonly recoverySeconds: number;
  readonly ended: { readonly engine: Ended | undefined; readonly simulator: Ended | undefined };
  readonly logged: ReadonlyMap<string, number>;
}

const WRONG_KEPT = 40;
/** Beyond so many the run is over. */
const WRONG_MAX = 1_000;
const LEARN_MS = 250;
const STATUS_MS = 1_000;
const METRICS_SECONDS = 10;
/** After the last fault. */
const RECOVERY_SECONDS_MAX = 120;
/** From all books live until whoever reads has them: the next change of the best levels tells who missed some. */
const CATCH_UP_SECONDS_MAX = 30;
const START_SECONDS_MAX = 300;
/** Of each client that reads; all of them together follow every symbol. */
const WHOLE_BOOKS = 1;
/** Of each slow client: enough to fill every buffer on the way within half a minute. */
const SLOW_BOOKS = 300;
const NIBBLE_MS = 2_000;
/** From the last fault, and on. */
const TELL_MS = 15_000;
/** Requests at a time for the last comparison. */
const LANES = 8;
const WORKER_LOST = 'worker lost, its books start anew';
/** What the exchange grants a second without a factor. */
const USUAL_SNAPSHOT_RATE = 8;

const counted = [
  'mdp_exchange_connections_replaced_total',
  'mdp_exchange_connections_lost_total',
  'mdp_book_gaps_total',
  'mdp_book_resyncs_total',
  'mdp_book_updates_applied_total',
  'mdp_book_inputs_refused_total',
  'mdp_ring_lost_frames_total',
  'mdp_audits_total',
  'mdp_exchange_request_pauses_total',
];

/** The whole run: two processes, all clients, faults, killed workers, and what must hold meanwhile. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #say: (line: string) => void;
  readonly #wrong: string[] = [];
  #wrongCount = 0;
  readonly #tally: ClientTally;
  readonly #slowClosed = new Map<string, number>();
  readonly #clients = new Set<BookClient>();
  readonly #readers: BookClient[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #simulator!: WatchedProcess;
  #engine!: WatchedProcess;
  #truth!: Truth;
  #asker!: RestAsker;
  #mix!: FaultMix;
  #url = '';
  #wsUrl = '';
  #restUrl = '';
  #status: Status | undefined;
  #metrics = new Map<string, number>();
  #killed = 0;
  #injected = 0;
  #begun = 0;
  #looks = 0;
  #liveLooks = 0;
  #ending = false;
  #recoverySeconds = NaN;

  constructor(options: SoakOptions, say: (line: string) => void) {
    this.#options = options;
    this.#say = say;
    this.#tally = { messages: 0, snapshots: new Map(), states: new Map(), wrong: (text) => this.#note(text) };
  }

  async run(): Promise<SoakResult> {
    let ended: SoakResult['ended'] = { engine: undefined, simulator: undefined };
    let warmUp = { seconds: 0, engine: 0, simulator: 0, harnessMs: 0, atMs: performance.now() };
    let measuredSeconds = 0;
    let lastVital: Vital | undefined;
    let samples: number[] = [];
    let cores = { engine: NaN, simulator: NaN, harness: NaN };
    try {
      await this.#start();
      const seconds = this.#options.minutes * 60;
      warmUp = { ...warmUp, seconds: this.#warmUpSeconds() };
      await this.#unfold(seconds, (second) => {
        if (second !== warmUp.seconds) return;
        warmUp = {
          ...warmUp,
          engine: this.#engine.vitals.length,
          simulator: this.#simulator.vitals.length,
          harnessMs: cpuMs(),
          atMs: performance.now(),
        };
      });
      measuredSeconds = (performance.now() - warmUp.atMs) / 1000;
      const measured = this.#engine.vitals.slice(warmUp.engine);
      samples = measured.map(({ rss }) => rss);
      lastVital = measured.at(-1);
      cores = {
        engine: coresOf(measured),
        simulator: coresOf(this.#simulator.vitals.slice(warmUp.simulator)),
        harness: (cpuMs() - warmUp.harnessMs) / 1000 / measuredSeconds,
      };
      await this.#recover();
    } catch (error) {
      this.#note(`the run broke off: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      ended = await this.#end();
    }
    const memory = flatnessOf(samples);
    if (!(memory.growth <= this.#options.memory)) this.#note(`resident memory grew by ${memory.growth.toFixed(2)} %`);
    if (!(memory.trend <= this.#options.memory)) this.#note(`resident memory rises by ${memory.trend.toFixed(2)} % along its line`);
    return {
      options: this.#options,
      wrong: this.#wrong,
      wrongCount: this.#wrongCount,
      compared: this.#truth?.compared ?? new Map(),
      tooOld: this.#truth?.tooOld ?? 0,
      notLiveAnswers: this.#asker?.notLive ?? 0,
      busyAnswers: this.#asker?.busy ?? 0,
      askedAgain: again.count,
      status: this.#status,
      metrics: this.#metrics,
      killed: this.#killed,
      faults: this.#mix?.chosen ?? new Map(),
      faultsBegun: this.#begun,
      tally: this.#tally,
      slowClosed: this.#slowClosed,
      liveShare: (100 * this.#liveLooks) / this.#looks,
      warmUpSeconds: warmUp.seconds,
      measuredSeconds,
      memory,
      lastVital,
      cores,
      recoverySeconds: this.#recoverySeconds,
      ended,
      logged: this.#engine?.logged ?? new Map(),
    };
  }

  // --- the beginning

  async #start(): Promise<void> {
    const { symbols, rate, seed, workers, rotate, snapshotRate, tape } = this.#options;
    const factor = Math.max(1, snapshotRate / USUAL_SNAPSHOT_RATE);
    const sim = ['sim', '--port', '0', '--symbols', symbols, '--rate', rate, '--seed', seed, '--request-factor', factor].map(String);
    this.#simulator = new WatchedProcess('the simulated exchange', sim, (line) => this.#errorLine('the simulated exchange', line));
    const exchange = await this.#simulator.addresses();
    this.#restUrl = String(exchange['restUrl']);
    this.#truth = await Truth.of(this.#restUrl, (text) => this.#note(text));
    this.#every(LEARN_MS, () => this.#truth.learn());
    const start = ['start', '--port', '0', '--symbols', 'all', '--workers', workers, '--rotate-after-ms', rotate * 1000];
    const more = [
      '--snapshot-rate',
      snapshotRate,
      '--tape',
      tape,
      '--preallocate',
      '--ws-url',
      exchange['wsUrl'],
      '--rest-url',
      this.#restUrl,
    ];
    this.#engine = new WatchedProcess('the engine', [...start, ...more].map(String), (line) => this.#errorLine('the engine', line));
    const addresses = await this.#engine.addresses();
    this.#url = String(addresses['url']);
    this.#wsUrl = String(addresses['wsUrl']);
    this.#say(`engine ${this.#engine.pid} on the simulated exchange ${this.#simulator.pid}, waiting for ${symbols} books`);
    this.#every(STATUS_MS, () => this.#look());
    await this.#allLive(START_SECONDS_MAX);
    const listed = [...this.#truth.listed.values()];
    this.#asker = new RestAsker(this.#url, this.#truth, seed, (text) => this.#note(text));
    this.#mix = new FaultMix(
      seed,
      listed.map(({ symbol }) => symbol),
    );
    this.#connectAll(listed);
    await until(() => [...this.#clients].every(({ isOpen }) => isOpen), { timeoutMs: 60_000, what: 'all clients to be connected' });
    this.#say(`${symbols} books live, ${this.#clients.size} clients connected`);
  }

  #connectAll(listed: readonly Listed[]): void {
    const { clients, slow } = this.#options;
    const readers = clients - slow;
    const share = Math.ceil(listed.length / readers);
    const at = (place: number): Listed => listed[place % listed.length]!;
    for (let i = 0; i < readers; i++) {
      const some = Array.from({ length: share }, (_, k): Wish => ({ listed: at(i * share + k), whole: false, interval: 100 }));
      const whole = Array.from({ length: WHOLE_BOOKS }, (_, k): Wish => ({ listed: at(i * WHOLE_BOOKS + k), whole: true, interval: 0 }));
      const client = new BookClient(this.#wsUrl, {
        name: `client ${i}`,
        truth: this.#truth,
        tally: this.#tally,
        wishes: [...some, ...whole],
        closed: (code) => {
          if (!this.#ending) this.#note(`client ${i}, which reads, was closed with ${code}`);
        },
      });
      this.#clients.add(client);
      this.#readers.push(client);
    }
    for (let i = 0; i < slow; i++) this.#connectSlow(listed, i);
  }

  /** Half of them never read, half read a little; one that is closed is replaced. */
  #connectSlow(listed: readonly Listed[], i: number): void {
    // The same ones for each: what they cost is writing, not encoding.
    const step = Math.max(1, listed.length / SLOW_BOOKS);
    const wishes: Wish[] = [];
    for (let place = 0; place < listed.length; place += step) wishes.push({ listed: listed[Math.floor(place)]!, whole: true, interval: 0 });
    const client = new BookClient(this.#wsUrl, {
      name: `slow client ${i}`,
      truth: this.#truth,
      tally: this.#tally,
      wishes,
      closed: (code) => {
        this.#clients.delete(client);
        if (this.#ending) return;
        count(this.#slowClosed, String(code));
        this.#connectSlow(listed, i);
      },
    });
    client.doze(i % 2 === 0 ? undefined : NIBBLE_MS);
    this.#clients.add(client);
  }

  // --- the long middle

  /** The first tenth; at least until every worker was killed once and its books came back, and every connection was replaced. */
  #warmUpSeconds(): number {
    const { minutes, rotate, kill, workers } = this.#options;
    return Math.ceil(Math.max(minutes * 6, kill * workers + 30, rotate * 1.5));
  }

  async #unfold(seconds: number, each: (second: number) => void): Promise<void> {
    const { faults, requests, kill } = this.#options;
    const disturbing = [
      this.#every(1000 / faults, () => this.#inject(this.#mix.next())),
      this.#every(1000 / requests, () => this.#asker.ask()),
    ];
    const startedMs = performance.now();
    for (let second = 1; second <= seconds; second++) {
      await until(() => performance.now() - startedMs >= second * 1000, { timeoutMs: 60_000 });
      this.#mustGoOn();
      each(second);
      if (second % kill === 0 && second < seconds) {
        this.#killed++;
        this.#engine.killOldestWorker();
      }
      if (second % METRICS_SECONDS === 0) await this.#readMetrics();
      if (second % 60 === 0) this.#progress(second / 60);
    }
    for (const timer of disturbing) {
      clearInterval(timer);
      this.#timers.delete(timer);
    }
  }

  #mustGoOn(): void {
    for (const each of [this.#simulator, this.#engine]) {
      if (each.hasEnded) throw new Error(`${each.name} ended by itself: ${each.stderr.slice(0, 500)}`);
    }
    if (this.#wrongCount > WRONG_MAX) throw new Error('too much is wrong');
  }

  #progress(minute: number): void {
    const { rss, heapUsed, arrayBuffers } = this.#engine.vitals.at(-1)!;
    const { books } = this.#status!;
    const metric = (name: string): number => this.#metrics.get(name) ?? 0;
    this.#say(
      [
        `minute ${minute}: ${books.live} live`,
        `${(rss / 2 ** 20).toFixed(0)} MiB resident (heap ${(heapUsed / 2 ** 20).toFixed(0)}, buffers ${(arrayBuffers / 2 ** 20).toFixed(0)})`,
        `${[...this.#truth.compared.values()].reduce((sum, each) => sum + each, 0)} answers compared, ${this.#wrongCount} wrong`,
        `${metric('mdp_book_gaps_total')} gaps, ${metric('mdp_book_resyncs_total')} resyncs`,
        `${metric('mdp_exchange_connections_replaced_total')} connections replaced, ${metric('mdp_exchange_connections_lost_total')} lost`,
        `${this.#killed} workers killed, ${this.#status!.clients.slowClosed} slow clients closed`,
        `cores: engine ${coresOf(this.#engine.vitals.slice(-60)).toFixed(2)}, exchange ${coresOf(this.#simulator.vitals.slice(-60)).toFixed(2)}`,
      ].join('; '),
    );
  }

  async #inject(fault: FaultSpec): Promise<void> {
    const { ok, text } = await ask(`${this.#restUrl}/sim/faults`, JSON.stringify(fault));
    if (ok) this.#injected++;
    else this.#note(`the simulated exchange refused a fault: ${text}`);
  }

  async #look(): Promise<void> {
    const status = await askJson<Status>(`${this.#url}/status`);
    this.#status = status;
    if (this.#asker === undefined) return;
    this.#looks += status.books.tracked;
    this.#liveLooks += status.books.live;
  }

  async #readMetrics(): Promise<void> {
    const page = parsePage((await ask(`${this.#url}/metrics`)).text);
    for (const name of counted) {
      const samples = page.get(name)?.samples ?? [];
      this.#metrics.set(
        name,
        samples.reduce((sum, { value }) => sum + value, 0),
      );
    }
  }

  // --- the end

  /** No more faults: everything must be live soon, and every book is asked for once more, whole. */
  async #recover(): Promise<void> {
    const fromMs = performance.now();
    const telling = this.#every(TELL_MS, () => this.#tellWhoIsMissing());
    await this.#allLive(RECOVERY_SECONDS_MAX);
    clearInterval(telling);
    this.#recoverySeconds = (performance.now() - fromMs) / 1000;
    const left = [...this.#truth.listed.values()];
    const lane = async (): Promise<void> => {
      for (let listed = left.pop(); listed !== undefined; listed = left.pop()) {
        const one = listed;
        await until(() => this.#asker.one(one, true), { timeoutMs: 30_000, what: `${one.symbol} to be live` });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await this.#readersHaveAll();
    await this.#truth.learn();
    this.#begun = (await askJson<{ faultsBegun: number }>(`${this.#restUrl}/sim/status`)).faultsBegun;
    await this.#readMetrics();
    await this.#look();
    this.#judgeCounts();
  }

  /** Every client that reads has every book it follows, no older than it is now. */
  async #readersHaveAll(): Promise<void> {
    const versions = await this.#asker.versions();
    const behind = (): string[] => this.#readers.flatMap((client) => client.behind(versions));
    const isDone = (): boolean => behind().length === 0;
    await until(isDone, { timeoutMs: CATCH_UP_SECONDS_MAX * 1000, what: 'all clients to have the books' }).catch(() => {
      for (const text of behind()) this.#note(`${CATCH_UP_SECONDS_MAX} s after all books were live: ${text}`);
    });
  }

  async #tellWhoIsMissing(): Promise<void> {
    const missing = await this.#asker.missing();
    if (missing[0] === undefined) return;
    const status = await ask(`${this.#url}/status/${encodeURIComponent(missing[0])}`);
    this.#say(`after the last fault ${missing.length} are not live yet: ${missing.slice(0, 5).join(', ')}; ${status.text}`);
  }

  #judgeCounts(): void {
    const { rotate, minutes, workers } = this.#options;
    const status = this.#status!;
    const replaced = this.#metrics.get('mdp_exchange_connections_replaced_total')!;
    // Those that were lost meanwhile began anew; the last round may not be over.
    const due = Math.floor((minutes * 60) / rotate - 1) * status.connections.length;
    if (replaced < 0.6 * due) this.#note(`only ${replaced} of about ${due} connections were replaced in time`);
    const restarts = status.shards.reduce((sum, shard) => sum + shard.restarts, 0);
    if (restarts !== this.#killed) this.#note(`${restarts} workers were replaced, ${this.#killed} were killed`);
    if (status.shards.length !== workers) this.#note(`${status.shards.length} workers`);
    if (this.#begun < this.#injected) this.#note(`${this.#begun} faults began, ${this.#injected} were injected`);
    if (this.#truth.missed > 0) this.#note(`${this.#truth.missed} digests of the exchange came too late to be kept`);
    for (const each of [this.#simulator, this.#engine]) for (const text of each.uncaught) this.#note(`${each.name}: ${text}`);
  }

  async #allLive(secondsMax: number): Promise<void> {
    const isLive = (): boolean => {
      this.#mustGoOn();
      return this.#status?.books.live === this.#options.symbols;
    };
    await until(isLive, { timeoutMs: secondsMax * 1000, what: 'all books live' }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.#status?.books)}`, { cause: error });
    });
  }

  async #end(): Promise<SoakResult['ended']> {
    this.#ending = true;
    for (const timer of this.#timers) clearInterval(timer);
    const engine = await this.#engine?.end();
    for (const client of this.#clients) client.close();
    const simulator = await this.#simulator?.end();
    for (const [each, how] of [
      [this.#engine, engine],
      [this.#simulator, simulator],
    ] as const) {
      if (each === undefined) continue;
      if (how?.code !== 0) this.#note(`${each.name} ended with ${how?.code ?? how?.signal}`);
      if (each.stderr !== '') this.#note(`${each.name} wrote to standard error: ${each.stderr.slice(0, 500)}`);
    }
    return { engine, simulator };
  }

  // --- common

  #errorLine(name: string, { msg, text }: LogLine): void {
    // Each kill of ours is answered by one such line; they are counted against each other in the end.
    if (msg !== WORKER_LOST) this.#note(`${name} logged an error: ${text.slice(0, 400)}`);
  }

  #note(text: string): void {
    this.#wrongCount++;
    if (this.#wrong.length >= WRONG_KEPT) return;
    this.#wrong.push(text);
    this.#say(`WRONG: ${text}`);
  }

  /** Never twice at the same time. */
  #every(ms: number, action: () => void | Promise<void>): NodeJS.Timeout {
    let busy = false;
    const act = async (): Promise<void> => {
      if (busy || this.#ending) return;
      busy = true;
      try {
        await action();
      } catch (error) {
        if (!this.#ending) this.#note(String(error));
      }
      busy = false;
    };
    const timer = setInterval(() => void act(), ms);
    this.#timers.add(timer);
    return timer;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Cores busy on average, of samples a second apart. */
function coresOf(vitals: readonly Vital[]): number {
  if (vitals.length < 2) return NaN;
  return (vitals.at(-1)!.cpuMs - vitals[0]!.cpuMs) / (1000 * (vitals.length - 1));
}
