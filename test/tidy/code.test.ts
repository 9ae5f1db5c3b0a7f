import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/support/config/index.js';
import { codeOf, linesMatching, projectFiles } from './files.js';

const files = projectFiles();
const typescript = files.filter((file) => file.path.endsWith('.ts'));
const inFolder = (...folders: readonly string[]) =>
  typescript.filter((file) => folders.some((folder) => file.path.startsWith(`${folder}/`)));

it('there is code to look at', () => {
  expect(inFolder('src').length).toBeGreaterThan(50);
  expect(inFolder('test').length).toBeGreaterThan(20);
});

describe('the code', () => {
  it('has no type "any"', () => {
    expect(typescript.flatMap((file) => linesMatching(file, /(?:[:<|&,(=]|\bas|\bextends)\s*any\b(?!\s*[(:])/, codeOf(file.text)))).toEqual(
      [],
    );
  });

  it('reads the environment only where the configuration is loaded', () => {
    const readers = inFolder('src', 'workers').filter((file) => codeOf(file.text).includes('process.env'));
    expect(readers.map((file) => file.path)).toEqual(['src/support/config/loader.ts']);
  });

  it('exports by name only', () => {
    expect(inFolder('src').flatMap((file) => linesMatching(file, /^export (default|\*)/))).toEqual([]);
  });

  it('imports files by the name they are built under', () => {
    expect(typescript.flatMap((file) => linesMatching(file, /\bfrom '\.[^']*(?<!\.m?js)';/))).toEqual([]);
  });

  it('silences the checkers nowhere without a reason', () => {
    expect(
      typescript
        .flatMap((file) => linesMatching(file, /@ts-(?:ignore|nocheck)|oxlint-disable(?!.*--)/, file.text))
        .filter((line) => !line.startsWith('test/tidy/')),
    ).toEqual([]);
  });
});

describe('the tests', () => {
  it('wait for conditions, never for time', () => {
    const waits = /\b(?:setTimeout|sleep|delay)\(|timers\/promises/;
    const tests = inFolder('test').filter((file) => !file.path.startsWith('test/support/') && !file.path.startsWith('test/tidy/'));
    // Module names are strings, so the text is looked at too.
    expect(
      tests.flatMap((file) => [...linesMatching(file, waits, codeOf(file.text)), ...linesMatching(file, /'(?:node:)?timers/)]),
    ).toEqual([]);
  });

  it('none is left out or run alone', () => {
    expect(
      inFolder('test').flatMap((file) => linesMatching(file, /\b(?:it|test|describe)\.(?:only|skip|todo)\b/, codeOf(file.text))),
    ).toEqual([]);
  });
});

describe('every file', () => {
  it('names no folder of the machine it was written on', () => {
    const folders = ['work', 'root', 'home', 'tmp', 'Users'].join('|');
    const pattern = new RegExp(`(?:^|[\\s"'\`(=:])/(?:${folders})(?:/|\\b)`);
    expect(files.flatMap((file) => linesMatching(file, pattern))).toEqual([]);
  });

  it('cites only what readers can find', () => {
    const pattern = /\b(?:PROTOCOL|STYLE|DESIGN|LIBRARIES|PEERS|COMMON)(?:\.md|(?:,? section)? §?\d)/;
    expect(files.flatMap((file) => linesMatching(file, pattern))).toEqual([]);
  });

  it('ends with a line feed and has no carriage return', () => {
    expect(
      files.filter((file) => file.text !== '' && (!file.text.endsWith('\n') || file.text.includes('\r'))).map((file) => file.path),
    ).toEqual([]);
  });
});

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

it('the lock file holds the packages of every platform: run "npm run lock"', () => {
  const { packages } = JSON.parse(readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

it('sizes, for the record', () => {
  const sizes = inFolder('src', 'workers')
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines);
  const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)]!.lines;
  const largest = sizes
    .slice(-5)
    .reverse()
    .map(({ path, lines }) => `${path} ${lines}`);
  process.stdout.write(`${sizes.length} source files: median ${at(0.5)} lines, 90 % within ${at(0.9)}; largest: ${largest.join(', ')}\n`);
  // One algorithm may need a long file; a drawer of leftovers may not.
  expect(at(0.9)).toBeLessThan(400);
});
