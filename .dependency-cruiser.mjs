/**
 * Imports point one way. Each folder of `src` may import from the folders named beside it and from itself; feed, shard and publish
 * meet in shared memory and never import each other.
 */
const layers = {
  support: [],
  model: ['support'],
  memory: ['support', 'model'],
  book: ['support', 'model', 'memory'],
  candle: ['support', 'model', 'memory'],
  tape: ['support', 'model', 'memory'],
  analytics: ['support', 'model'],
  ticker: ['support', 'model', 'memory'],
  mexc: ['support', 'model', 'memory', 'book', 'candle', 'tape'],
  feed: ['support', 'model', 'memory', 'book', 'tape', 'mexc'],
  shard: ['support', 'model', 'analytics', 'memory', 'book', 'candle', 'tape', 'ticker', 'mexc'],
  publish: ['support', 'model', 'memory', 'book', 'candle', 'tape', 'ticker', 'mexc'],
  gateway: ['support', 'model', 'analytics', 'memory', 'book', 'tape', 'ticker', 'mexc', 'feed', 'shard', 'publish'],
  engine: ['support', 'model', 'analytics', 'memory', 'book', 'candle', 'tape', 'ticker', 'mexc', 'feed', 'shard', 'publish', 'gateway'],
  simulator: ['support', 'model', 'mexc'],
  cli: ['support', 'model', 'simulator', 'engine'],
};

const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `${layer}-imports-downwards`,
  comment: `src/${layer} may import only from ${[layer, ...allowed].join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^(src|workers|test|bench)/', pathNot: [layer, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`) },
}));

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'no-cycle',
      comment: 'Modules that load each other in a circle see half of each other. Types may: so the built files are what is checked.',
      severity: 'error',
      from: { path: '^dist/' },
      to: { circular: true },
    },
    {
      name: 'engine-does-not-know-its-commands',
      severity: 'error',
      from: { path: '^src/engine(/|\\.ts$)' },
      to: { path: '^(src/(cli|simulator|main)|workers|test|bench)' },
    },
    {
      name: 'the-library-has-no-commands',
      severity: 'error',
      from: { path: '^src/(index|embed|reader)\\.ts$' },
      to: { path: '^(src/(cli|main)|workers|test|bench)' },
    },
    {
      name: 'nothing-imports-the-entries',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: '^src/main\\.ts$' },
      to: { path: '^(src/main\\.ts|workers/|test/|bench/)' },
    },
    {
      name: 'workers-start-shards',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^src/', pathNot: '^src/(support|shard)/' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-packages-at-run-time',
      severity: 'error',
      from: { path: '^(src|workers)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    // TypeScript 7 has no compiler interface; with any other parser no module at all would be found.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
};
