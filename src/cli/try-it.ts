import type { Engine } from '../engine.js';

/** Lines to paste into a shell in the project's folder; they need nothing that is not installed there. */
export function tryItLines({ url, wsUrl, market }: Pick<Engine, 'url' | 'wsUrl' | 'market'>): readonly string[] {
  const names = [...market.tracked()].map((symbol) => symbol.symbol);
  // A name of plain letters survives every shell's quoting.
  const symbol = names.find((name) => /^[A-Z0-9]+$/.test(name)) ?? 'BTCUSDT';
  const message = `JSON.stringify({op:'subscribe',channel:'bbo',symbols:['${symbol}']})`;
  const script = `const s=new(require('ws'))('${wsUrl}');s.on('open',()=>s.send(${message}));s.on('message',m=>console.log(String(m)))`;
  return ['Try, in this folder:', '', `  curl "${url}/orderbook/${symbol}?depth=5"`, '', `  node -e "${script}"`, ''];
}
