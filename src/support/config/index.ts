export { commandNames, LOG_LEVELS } from './schema.js';
export type { CommandName } from './schema.js';
export { commandSummaries, configReference, helpText, usageText } from './help.js';
export { defaultsOf, loadDemoConfig, loadSimConfig, loadStartConfig } from './loader.js';
export type { DemoConfig, SimConfig, StartConfig } from './loader.js';
export { nearestWord } from './nearest.js';
export { packageRoot, packageVersion } from './package.js';
export { parseSimulatedSymbols, parseSymbols } from './symbols.js';
export type { SimulatedSymbols, SymbolSelection } from './symbols.js';
