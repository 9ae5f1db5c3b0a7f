/**
 * The library face: what a program that embeds the engine, or tests against the simulated exchange, may rely on. The `mdp` command
 * itself and its configuration are not part of it.
 */

// The engine, and what it tells.
export { createEngine } from './engine.js';
export type { Engine, EngineOptions } from './engine.js';
export type { SymbolSelection } from './support/config/index.js';
export type {
  ConnectionStatus,
  EngineStatus,
  MarketData,
  ShardStatus,
  SourceInfo,
  SymbolStatus,
} from './model/market-data.js';
export type { ListedSymbol, TrackedSymbol } from './model/symbol.js';

// Books: a copy to read into, and the words of their state.
export { createBookCopy } from './model/book-copy.js';
export type { BookCopy } from './model/book-copy.js';
export { BookState, bookStateNames, StateReason, stateReasonNames } from './model/book-state.js';
export type { BookStateName, StateReasonName } from './model/book-state.js';
export { formatDecimal, toDouble } from './model/decimal.js';

// Errors: match the code.
export { CodedError, ErrorCode } from './support/errors.js';

// The simulated exchange.
export { startSimulator } from './simulator/simulator.js';
export type { FaultSpec, Simulator, SimulatorLimits, SimulatorOptions, SimulatorStats, TrueBook } from './simulator/simulator.js';
