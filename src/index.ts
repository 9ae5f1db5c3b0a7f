/**
 * The library face: what a program that embeds the engine, or tests against the simulated exchange, may rely on. The `mdp` command
 * itself and its configuration are not part of it.
 */

// The engine, and what it tells.
export { createEngine } from './embed.js';
export type { EmbedOptions } from './embed.js';
export type { Engine, EngineOptions } from './engine.js';
export type { LocalSubscription, PushMessage, SubscribeRequest } from './gateway/local-subscription.js';
export type { ApiKey, Origins, SymbolSelection } from './support/config/index.js';
export type {
  ConnectionStatus,
  EngineStatus,
  MarketData,
  ShardStatus,
  SourceInfo,
  SymbolStatus,
} from './model/market-data.js';
export type { ListedSymbol, TrackedSymbol } from './model/symbol.js';
export type { Ticker } from './model/ticker.js';

// Books: read in place from any thread, a copy to read into, and the words of their state.
export {
  BookState,
  bookStateNames,
  createBookCopy,
  formatDecimal,
  openBook,
  StateReason,
  stateReasonNames,
  toDouble,
} from './reader.js';
export type { BookCopy, BookHandle, BookRead, BookStateName, LevelVisitor, SharedBook, StateReasonName } from './reader.js';

// Errors: match the code.
export { CodedError, ErrorCode } from './support/errors.js';

// The simulated exchange.
export { startSimulator } from './simulator/simulator.js';
export type {
  FaultSpec,
  Simulator,
  SimulatorLimits,
  SimulatorOptions,
  SimulatorStats,
  TrueBook,
  TrueTrade,
} from './simulator/simulator.js';
