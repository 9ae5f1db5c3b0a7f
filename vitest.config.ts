import { defineConfig } from 'vitest/config';

const nodeMajor = Number.parseInt(process.versions.node, 10);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests open sockets and threads; a failure bound far above what they take, since machines differ.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // More than the two cores this is meant for: most of a file's time is spent waiting for sockets and threads.
    maxWorkers: 3,
    // One process after the other takes many files and loads what they share once: a fifth of the whole time. No file may leave anything behind.
    isolate: false,
    setupFiles: ['test/support/left-behind.ts'],
    // Continuous integration adds up the counts of several runs.
    reporters:
      process.env['CI'] === undefined ? ['default'] : ['default', ['json', { outputFile: `dist/test-results/node-${nodeMajor}.json` }]],
  },
});
