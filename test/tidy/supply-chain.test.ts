import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditVerdict } from '../../.ci/audit-verdict.mjs';
import { packageRoot } from '../../src/support/config/index.js';

const { load: parseYaml } = createRequire(import.meta.url)('js-yaml') as { load: (text: string) => unknown };
const root = packageRoot();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Step {
  readonly run?: string;
}
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}
const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('the lock file', () => {
  it('names every package by version and hash, but optional ones for other platforms', () => {
    const loose = installed.filter(([, { version, integrity }]) => version === undefined || !integrity?.startsWith('sha512-'));
    expect(loose.filter(([, { optional }]) => optional !== true).map(([path]) => path)).toEqual([]);
  });

  it('has no package that users get and that does something when it is installed, but those that work without', () => {
    const scripted = installed.filter(([, { dev, hasInstallScript }]) => hasInstallScript === true && dev !== true);
    const names = scripted.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    // The one is built beforehand and optional, the other only warns of version ranges.
    expect([...new Set(names)].sort()).toEqual(['bufferutil', 'protobufjs']);
  });
});

describe('known vulnerabilities', () => {
  const counts = (high: number, critical: number): string =>
    JSON.stringify({
      vulnerabilities: { x: { name: 'x', severity: high > 0 ? 'high' : 'moderate' } },
      metadata: { vulnerabilities: { moderate: 3, high, critical }, dependencies: { total: 9 } },
    });

  it.each([
    ['none', counts(0, 0), { kind: 'clean', text: 'no known vulnerability of severity high or above among 9 packages' }],
    ['one of severity high', counts(1, 0), { kind: 'vulnerable', text: '1 known vulnerabilities of severity high or above: x (high)' }],
    [
      'a registry without audits',
      '{"message":"405 Method Not Allowed\\nmore"}',
      { kind: 'not-done', text: 'the registry offers no audit: 405 Method Not Allowed' },
    ],
    ['another error', '{"error":{"code":"ENOLOCK"}}', { kind: 'not-done', text: 'the registry offers no audit: ENOLOCK' }],
    ['no report', '', { kind: 'not-done', text: 'npm audit gave no report' }],
  ])('%s', (_, report, verdict) => {
    expect(auditVerdict(report)).toEqual(verdict);
  });
});

it('the list of what is shipped is CycloneDX and whole', { timeout: 60_000 }, () => {
  expect(execFileSync(process.execPath, ['.ci/supply-chain.mjs', 'sbom'], { cwd: root, encoding: 'utf8' })).toMatch(
    /^supply chain: \d+ packages/,
  );
  const bom = JSON.parse(read('dist/sbom.cdx.json')) as {
    readonly metadata: object;
    readonly components: readonly { readonly name: string }[];
  };
  expect(bom.metadata).toMatchObject({ component: { name: 'market-data-processor' } });
  const names = bom.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'ws', '@grpc/grpc-js', 'ajv']));
  expect(names).not.toContain('vitest');
});

describe('where it runs', () => {
  it('actions are named by commit, and may read only', () => {
    for (const name of readdirSync(join(root, '.github/workflows'))) {
      const text = read(`.github/workflows/${name}`);
      for (const [, action] of text.matchAll(/uses:\s*(.+)/g)) expect(action).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      expect(parseYaml(text)).toMatchObject({ permissions: { contents: 'read' } });
    }
  });

  it('the workflow keeps the list of what is shipped, and soaks as .ci/run does', () => {
    const { jobs } = parseYaml(read('.github/workflows/ci.yml')) as {
      readonly jobs: { readonly test: { readonly steps: readonly Step[] } };
    };
    const { steps } = jobs.test;
    const [listed, kept] = ['supply-chain.mjs', 'dist/sbom.cdx.json'].map((what) =>
      steps.findIndex((step) => JSON.stringify(step).includes(what)),
    );
    expect(steps[kept!]).toMatchObject({
      uses: expect.stringMatching(/^actions\/upload-artifact@/),
      with: { 'if-no-files-found': 'error' },
    });
    expect(kept).toBeGreaterThan(listed!);
    const [soak] = /npm run soak -- [\w -]+\d/.exec(read('.ci/run'))!;
    expect(steps.map(({ run }) => run)).toContain(soak);
  });

  it('packages are installed without their scripts', () => {
    for (const path of ['Dockerfile', '.ci/run', '.github/workflows/ci.yml']) expect(read(path)).toContain('npm ci --ignore-scripts');
  });

  it('the image is named by digest and has no rights', () => {
    const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!);
    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-slim@sha256:[0-9a-f]{64}$/);
    expect(read('Dockerfile')).toMatch(/^USER node$/m);
    const { services } = parseYaml(read('compose.yaml')) as { readonly services: Readonly<Record<string, object>> };
    expect(services['mdp']).toMatchObject({ read_only: true, user: 'node', cap_drop: ['ALL'] });
    for (const service of Object.values(services)) expect(service).toMatchObject({ security_opt: ['no-new-privileges:true'] });
  });
});
