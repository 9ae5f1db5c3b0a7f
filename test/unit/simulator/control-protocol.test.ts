import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  malformedText,
  parseControlRequest,
  pongText,
  subscriptionText,
  unsubscriptionText,
} from '../../../src/simulator/control-protocol.js';
import { sharedDir, sharedPath } from '../../support/shared.js';

/** What the exchange would accept of a request, so that the recorded answers come out. */
const unknown = new Set(['spot@public.deals.v3.api@BTCUSDT', 'spot@public.aggre.depth.v3.api.pb@100ms@NOPEUSDT']);

function answer(text: string): string {
  const request = parseControlRequest(text);
  if (request === undefined) return malformedText();
  if (request.method === 'PING') return pongText(request.id);
  if (request.method === 'UNSUBSCRIPTION') return unsubscriptionText(request.id, request.channels);
  const refused = request.channels.filter((channel) => unknown.has(channel));
  return subscriptionText(
    request.id,
    request.channels.filter((channel) => !refused.includes(channel)),
    refused,
  );
}

describe.skipIf(!sharedDir)('recorded control messages (needs ../shared)', () => {
  it.each(['ping', 'subscribe-one', 'subscribe-partly-rejected', 'subscribe-rejected', 'subscribe-two-with-id', 'unsubscribe'])(
    'answers %s byte for byte',
    (name) => {
      const read = (part: string): string => readFileSync(sharedPath(`mexc/frames/text/spot-${name}.${part}.json`), 'utf8');
      expect(answer(read('request'))).toBe(read('reply'));
    },
  );
});

describe('parseControlRequest', () => {
  it.each([
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"method":1}',
    '{"method":"LOGIN"}',
    '{"method":"SUBSCRIPTION"}',
    '{"method":"SUBSCRIPTION","params":[]}',
    '{"method":"SUBSCRIPTION","params":[1]}',
    '{"method":"subscription","params":["a"]}',
  ])('takes %j for no request', (text) => expect(parseControlRequest(text)).toBeUndefined());

  it('takes PING in either case and echoes its id', () => {
    expect(answer('{"method":"ping","id":4}')).toBe('{"id":4,"code":0,"msg":"PONG"}');
    expect(answer('{"method":"PING","id":-4}')).toBe('{"id":0,"code":0,"msg":"PONG"}');
  });

  it('says so when nothing was unsubscribed', () => expect(unsubscriptionText(2, [])).toBe('{"id":2,"code":0,"msg":"no subscription"}'));
});
