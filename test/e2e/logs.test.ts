import pino from 'pino';
import { describe, expect } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { getStatus, startEngine } from '../support/engine.js';
import { until } from '../support/until.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly symbol?: string;
  readonly connection?: number;
  readonly epoch?: number;
  readonly reason?: string;
}

describe('the log of an engine', () => {
  it('has a line for each event, with what it is about, and none for a message', async ({ opened }) => {
    const lines: Line[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) });
    const sim = opened(await startSimulator({ symbols: 3, rate: 20, seed: 3 }));
    const engine = opened(await startEngine(sim, { logger }));
    const live = async (): Promise<boolean> => (await getStatus(engine.url)).books.live === 3;
    await until(live, { what: 'all books live' });
    // Said a moment after it can be read.
    await until(() => lines.filter(({ msg }) => msg === 'book live').length === 3, { what: 'three lines that say so' });
    const frames = async (): Promise<number> => (await getStatus(engine.url)).counters.frames;
    const said = lines.length;
    const before = await frames();
    await until(async () => (await frames()) > before + 100, { what: 'a hundred pushes' });
    // Connections for the trades may still be on their way.
    expect(lines.slice(said).filter(({ msg }) => msg !== 'connected')).toEqual([]);

    sim.injectFault({ action: 'drop' });
    await until(() => lines.filter(({ msg }) => msg === 'book not live').length === 3, { what: 'three books down' });
    const lost = lines.filter(({ msg }) => msg === 'connection lost');
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every(({ connection, level }) => connection !== undefined && level === 40)).toBe(true);
    const down = lines.filter(({ msg }) => msg === 'book not live');
    expect(down.map(({ symbol }) => String(symbol)).toSorted()).toEqual([...sim.symbols].toSorted());
    for (const line of down) {
      expect(line).toMatchObject({ level: 30, epoch: 1, reason: 'line_down' });
      expect(typeof line.connection).toBe('number');
    }
    const liveAgain = (): boolean => lines.filter(({ msg, epoch }) => msg === 'book live' && epoch === 2).length === 3;
    await until(liveAgain, { what: 'three lines that they are live again' });
  });

  it('changes its level while it runs, for connections made before too', async ({ opened }) => {
    const lines: Line[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) });
    const sim = opened(await startSimulator({ symbols: 2, rate: 20, seed: 3 }));
    const engine = opened(await startEngine(sim, { logger }));
    await until(async () => (await getStatus(engine.url)).books.live === 2, { what: 'all books live' });
    expect(lines).toEqual([]);
    const answer = await fetch(`${engine.url}/log-level?level=debug`, { method: 'PUT' });
    expect(await answer.json()).toEqual({ level: 'debug' });
    sim.injectFault({ action: 'drop' });
    const told = (msg: string): boolean => lines.some((line) => line.msg === msg);
    await until(() => told('connection lost') && told('connected') && told('book live'), { what: 'lines of the connection' });
  });
});
