/**
 * The part of the library a reading thread needs, and nothing else: `import { openBook } from 'market-data-processor/reader'` loads a
 * few small files, where the whole library would load the engine.
 */
export { createBookCopy } from './model/book-copy.js';
export type { BookCopy } from './model/book-copy.js';
export { BookState, bookStateNames, StateReason, stateReasonNames } from './model/book-state.js';
export type { BookStateName, StateReasonName } from './model/book-state.js';
export { formatDecimal, toDouble } from './model/decimal.js';
export { openBook } from './publish/shared-book.js';
export type { BookHandle, BookRead, LevelVisitor, SharedBook } from './publish/shared-book.js';
