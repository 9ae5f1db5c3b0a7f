import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/support/config/index.js';

/** Debian's: another python may come first in PATH, without the packages. */
const PYTHON = '/usr/bin/python3';
const PACKAGES = 'python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc';
const root = packageRoot();

/** What is missing for the tests with a Python client, in one line; `undefined` when nothing is. */
export function missingForPython(): string | undefined {
  for (const [command, ...args] of [
    [PYTHON, '-c', 'import grpc, google.protobuf'],
    ['protoc', '--version'],
    ['sh', '-c', 'command -v grpc_python_plugin'],
  ] as const) {
    try {
      execFileSync(command, args, { stdio: 'ignore' });
    } catch {
      return `${[command, ...args].join(' ')} fails: install ${PACKAGES}`;
    }
  }
  return undefined;
}

/** Generates the modules of the contract, of its copy, and of health and reflection into a folder. */
export function generateStubs(folder: string): void {
  const plugin = execFileSync('sh', ['-c', 'command -v grpc_python_plugin'], { encoding: 'utf8' }).trim();
  for (const [path, file] of [
    ['proto', 'market_data.proto'],
    ['test/support/python', 'contract.proto'],
    ['node_modules/grpc-health-check/proto/health/v1', 'health.proto'],
    ['node_modules/@grpc/reflection/build/proto/grpc/reflection/v1', 'reflection.proto'],
  ] as const) {
    const outputs = [`--python_out=${folder}`, `--grpc_out=${folder}`, `--plugin=protoc-gen-grpc=${plugin}`];
    execFileSync('protoc', [`--proto_path=${join(root, path)}`, ...outputs, file], { stdio: 'pipe' });
  }
}

/** Runs a script of `test/support/python`; resolves with what it printed, as JSON. Rejects with what it wrote when it fails. */
export async function runPython(script: string, ...args: readonly string[]): Promise<unknown> {
  const child = spawn(PYTHON, [join(root, 'test/support/python', script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${stderr}${stdout}`);
  return JSON.parse(stdout);
}
