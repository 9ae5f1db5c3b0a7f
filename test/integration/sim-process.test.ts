import { expect, it } from 'vitest';
import { startSimulatorProcess } from '../../src/cli/sim-process.js';
import { until } from '../support/until.js';

const flags = ['--port=0', '--symbols=3', '--log-level=info'];

it('runs the simulated exchange beside this process and ends it', async () => {
  const lines: string[] = [];
  const ends: string[] = [];
  const simulator = await startSimulatorProcess(
    flags,
    (line) => lines.push(line),
    (error) => ends.push(error.message),
  );
  const response = await fetch(`${simulator.restUrl}/api/v3/exchangeInfo`);
  expect(response.headers.get('x-simulated-exchange')).not.toBeNull();
  expect(simulator.wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
  await response.arrayBuffer();
  await simulator.close();
  await expect(fetch(simulator.restUrl)).rejects.toThrow(/fetch failed/);
  expect(ends).toEqual([]);
  expect(lines.join('\n')).toContain('the parent process is gone');
});

it('tells when the simulated exchange ends by itself', async () => {
  const ends: string[] = [];
  const simulator = await startSimulatorProcess(
    flags,
    () => {},
    (error) => ends.push(`${error.code}: ${error.message}`),
  );
  process.kill(simulator.pid, 'SIGKILL');
  await until(() => ends.length > 0, { what: 'the end of the child to be told' });
  expect(ends).toEqual(['SIMULATOR_ENDED: the simulated exchange ended with SIGKILL']);
  await simulator.close();
});

it('tells why the simulated exchange does not start', async () => {
  const start = startSimulatorProcess(
    ['--port=0', '--symbols=none:1'],
    () => {},
    () => {},
  );
  await expect(start).rejects.toThrow(/exit code 2 .*"none:1" is not a number of pairs/);
});
