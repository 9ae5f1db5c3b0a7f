import type { ListedSymbol } from '../model/symbol.js';
import type { SymbolSelection } from '../support/config/index.js';
import { CodedError, ErrorCode } from '../support/errors.js';

/** The listed symbols a selection means. Throws CodedError SYMBOL_NOT_LISTED naming every symbol of a list that the exchange does not trade. */
export function selectSymbols(selection: SymbolSelection, listed: ReadonlyMap<string, ListedSymbol>): readonly ListedSymbol[] {
  const all = [...listed.values()];
  switch (selection.kind) {
    case 'all':
      return notNone(all, 'the exchange lists no pair that trades');
    case 'quote': {
      const quoted = all.filter(({ quoteAsset }) => quoteAsset === selection.quoteAsset);
      return notNone(quoted, `the exchange trades nothing against ${selection.quoteAsset}`);
    }
    case 'top':
      return all.sort((a, b) => (b.turnover ?? 0) - (a.turnover ?? 0)).slice(0, selection.count);
    case 'list': {
      const missing = selection.symbols.filter((symbol) => !listed.has(symbol));
      if (missing.length > 0) {
        throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, `the exchange does not trade ${missing.join(', ')}`, { symbols: missing });
      }
      return selection.symbols.map((symbol) => listed.get(symbol)!);
    }
    default:
      return selection satisfies never;
  }
}

/** An engine without a single book would look healthy and serve nothing. */
function notNone(selected: readonly ListedSymbol[], message: string): readonly ListedSymbol[] {
  if (selected.length === 0) throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, message);
  return selected;
}
