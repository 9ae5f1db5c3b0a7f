import { Parser } from '@asyncapi/parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asyncApi } from '../../../src/gateway/asyncapi/document.js';
import { channelDocs } from '../../../src/gateway/asyncapi/channel-docs.js';
import { depths, intervalsMs, ops, parseClientMessage } from '../../../src/gateway/ws/protocol.js';
import { channelNames } from '../../../src/model/publication.js';
import { checker, type SchemaDocument } from '../../support/document-schema.js';

const document = asyncApi('127.0.0.1:8080', 'http') as unknown as SchemaDocument & {
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: unknown }>> };
};

it('is AsyncAPI 3.0 to a parser that is not ours', { timeout: 60_000 }, async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
  // There is a 3.1; fewer programs know it.
  expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
  expect(parsed?.version()).toBe('3.0.0');
  const sent = parsed!
    .operations()
    .filterBySend()
    .flatMap((operation) => operation.messages().all());
  const pushes = channelNames.flatMap((channel) => Object.keys(channelDocs[channel].pushes).map((type) => `${channel}.${type}`));
  expect(sent.map((message) => String(message.name())).toSorted()).toEqual([...pushes, 'unsubscribed'].toSorted());
});

describe('messages of clients', () => {
  const parse = (message: unknown) => parseClientMessage(JSON.stringify(message), { symbolsPerMessage: 1000 });
  const described = new Map(ops.map((op) => [op as string, checker(document, document.components.messages[op]!.payload)] as const));

  // Values that may be right, and some that are wrong.
  const message = fc.record(
    {
      op: fc.constantFrom('subscribe', 'unsubscribe', 'ping'),
      channel: fc.constantFrom(...channelNames, 'nothing'),
      symbols: fc.constantFrom<unknown>(['BTCUSDT'], ['A', 'B'], [], 'all', [7]),
      id: fc.constantFrom<unknown>(7, 'seven', 'x'.repeat(300), true),
      depth: fc.constantFrom<unknown>(...depths, 7, '5'),
      interval: fc.constantFrom<unknown>(...intervalsMs, 7, 'soon'),
    },
    { requiredKeys: ['op'] },
  );

  it('that are as described are understood, those that are refused are not as described', () => {
    const seen = { described: 0, refused: 0 };
    fc.assert(
      fc.property(message, (given) => {
        const isDescribed = described.get(given.op)!(given).length === 0;
        const understood = parse(given).op === given.op;
        if (isDescribed) seen.described++;
        if (!understood) seen.refused++;
        expect(isDescribed && !understood).toBe(false);
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.described, seen.refused)).toBeGreaterThan(50);
  });
});
