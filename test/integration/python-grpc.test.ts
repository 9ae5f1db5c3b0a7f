import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/support/config/index.js';
import { MdpProcess } from '../support/mdp-process.js';
import { generateStubs, missingForPython, runPython } from '../support/python.js';

const missing = missingForPython();
if (missing !== undefined) process.stdout.write(`no tests with a Python client: ${missing}\n`);

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: packageRoot(), encoding: 'utf8', timeout: 20_000, env: { PYTHONDONTWRITEBYTECODE: '1' } });
}

/** What was seen of trades and tickers: every figure MEXC supplies is there, and none it does not. */
const trades = {
  GetRecentTrades: expect.any(Number) as number,
  SubscribeToTrades: 3,
  GetTicker: Object.fromEntries(
    [
      ...['last_price', 'open_price', 'high_price', 'low_price', 'price_change', 'price_change_percent', 'weighted_avg_price'],
      ...['last_quantity', 'bid_price', 'bid_quantity', 'ask_price', 'ask_quantity', 'volume', 'quote_volume', 'open_time', 'close_time'],
    ].map((name) => [name, expect.any(Number) as number]),
  ),
  SubscribeToTickers: expect.any(Number) as number,
};

/** A code block of the guide, as its reader runs it, against another port. */
function example(language: string, address: string): string {
  const guide = readFileSync(join(packageRoot(), 'docs/grpc.md'), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(guide)![1]!;
  expect(block).toContain('127.0.0.1:50051');
  return block.replace('127.0.0.1:50051', address);
}

describe.skipIf(missing !== undefined)('a Python client and mdp demo', () => {
  let demo: MdpProcess;
  let folder: string;
  let addresses: readonly [grpc: string, rest: string];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mdp-stubs-'));
    generateStubs(folder);
    demo = new MdpProcess(
      'demo',
      '--port',
      '0',
      '--grpc-port',
      '0',
      '--symbols',
      '3',
      '--rate',
      '5',
      '--snapshot-rate',
      '50',
      '--workers',
      '1',
    );
    const [, grpc] = await demo.text(/gRPC at (\S+)/);
    const [, rest] = await demo.text(/Engine at (\S+)/);
    addresses = [grpc!, rest!];
    await demo.text(/3 of 3 books live/);
  });

  afterAll(async () => {
    await demo.close();
    rmSync(folder, { recursive: true });
  });

  it('makes every call, and sees what REST shows', async () => {
    const report = await runPython('client.py', ...addresses, folder, 'market_data');
    expect(report).toMatchObject({
      GetOrderBook: expect.any(Number) as number,
      SubscribeToOrderBookUpdates: { updates: expect.any(Number) as number, matched: expect.any(Number) as number },
      ...trades,
      deltas: { matched: [expect.any(Number) as number, expect.any(Number) as number] },
      statuses: [
        ['NOT_FOUND', 'SYMBOL_NOT_TRACKED'],
        ['INVALID_ARGUMENT', 'BAD_PARAMETER'],
      ],
      health: 'SERVING',
      reflection: {
        services: ['grpc.health.v1.Health', 'market_data.MarketDataService'],
        methods: ['GetOrderBook', 'GetTicker', 'GetRecentTrades', 'SubscribeToOrderBookUpdates', 'SubscribeToTrades', 'SubscribeToTickers'],
      },
    });
  });

  it('does so with the contract alone, without the fields from 100 up', async () => {
    const report = await runPython('client.py', ...addresses, folder, 'contract');
    expect(report).toMatchObject({
      GetOrderBook: expect.any(Number) as number,
      SubscribeToOrderBookUpdates: { updates: expect.any(Number) as number, matched: expect.any(Number) as number },
      ...trades,
    });
  });

  it('is not needed to follow the examples of the guide', async () => {
    const script = join(folder, 'example.py');
    writeFileSync(script, example('python', addresses[0]));
    const python = run('/usr/bin/python3', [script]);
    const price = String.raw`842\d\d\.\d+`;
    const lines = [
      `${price} ${price} \\d+`,
      'NOT_FOUND SYMBOL_NOT_TRACKED',
      price,
      `\\[${price}, ${price}, ${price}\\]`,
      `\\d+ ${price} \\d+\\.\\d+ (True|False)`,
      `\\d+ ${price}`,
    ];
    expect(python).toMatch(new RegExp(`^${lines.join('\n')}\n$`));
    const node = run(process.execPath, ['--input-type=module', '--eval', example('js', addresses[0])]);
    expect(node.split('\n').toSorted()).toEqual([
      '',
      expect.stringMatching(/^LIVE \d+ 842\d\d\.\d\d$/),
      expect.stringMatching(/^true undefined \d+$/),
    ]);
  });
});
