import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { commandVersion } from '../support/machine.js';

export interface Load {
  readonly url: string;
  readonly header?: string;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A program that asks as fast as it is answered, over 50 connections. */
export interface LoadProgram {
  readonly name: string;
  run(load: Load, seconds: number): Promise<LoadResult>;
}

const CONNECTIONS = 50;

/** wrk where it is installed: it leaves more of the machine to the server; autocannon otherwise. */
export function loadProgram(): LoadProgram {
  // It prints its version as part of its usage and ends with 1.
  return commandVersion('wrk', '-v', 1) === undefined ? autocannon : wrk;
}

const wrk: LoadProgram = {
  name: 'wrk',
  run: async ({ url, header }, seconds) => {
    const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', ...(header === undefined ? [] : ['-H', header]), url];
    return parseWrk(await output('wrk', args));
  },
};

const autocannon: LoadProgram = {
  name: 'autocannon',
  run: async ({ url, header }, seconds) => {
    const script = join(dirname(createRequire(import.meta.url).resolve('autocannon')), 'autocannon.js');
    const args = [script, '-j', '-c', String(CONNECTIONS), '-d', String(seconds), ...(header === undefined ? [] : ['-H', header]), url];
    return parseAutocannon(await output(process.execPath, args));
  },
};

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return text;
}

export function parseWrk(text: string): LoadResult {
  const failed = /^\s*(Non-2xx or 3xx responses: .*|Socket errors: .*)$/m.exec(text);
  if (failed !== null) throw new Error(failed[1]);
  const latency = (percent: number): number => {
    const match = new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(text);
    if (match === null) throw new Error(`wrk says nothing of ${percent} %`);
    return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's'];
  };
  return { perSecond: Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(text)![1]), p50Ms: latency(50), p99Ms: latency(99) };
}

export function parseAutocannon(text: string): LoadResult {
  const {
    requests,
    latency,
    errors,
    timeouts,
    '4xx': refused,
    '5xx': failed,
  } = JSON.parse(text) as {
    readonly requests: { readonly average: number };
    readonly latency: { readonly p50: number; readonly p99: number };
    readonly errors: number;
    readonly timeouts: number;
    readonly '4xx': number;
    readonly '5xx': number;
  };
  if (errors + timeouts + refused + failed > 0) throw new Error(`${errors + timeouts} requests failed, ${refused + failed} were refused`);
  return { perSecond: requests.average, p50Ms: latency.p50, p99Ms: latency.p99 };
}
