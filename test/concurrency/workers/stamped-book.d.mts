import type { BookCopy } from '../../../src/model/book-copy.js';

export function isOfOneStamp(copy: BookCopy): boolean;
