import { type TSchema, Type } from '@fastify/type-provider-typebox';
import { channelNames } from '../../model/publication.js';
import { packageVersion } from '../../support/config/index.js';
import { Components } from '../openapi/components.js';
import {
  ErrorAnswer,
  Ping,
  Pong,
  subscribedMessage,
  subscribeMessage,
  unsubscribedMessage,
  unsubscribeMessage,
} from '../schemas/client-messages.js';
import { channelDocs } from './channel-docs.js';

type Json = Record<string, unknown>;

interface MessageDocs {
  readonly summary: string;
  readonly schema: TSchema;
}

const DESCRIPTION = `JSON in text frames. A \`snapshot\` replaces everything; a \`delta\` is applied only when its \`epoch\` is the client's and
its \`prev\` is the client's \`seq\`; after a \`state\` message nothing is to be trusted until the next snapshot. \`epoch\` and \`seq\` are those of
REST. Fields that are not known are ignored in both directions. Close codes: 1001 \`SHUTTING_DOWN\`, 1009 a message is too large, 4000
\`IDLE\`, 4008 \`SLOW_CONSUMER\`, 4029 \`RATE_LIMITED\`.`;

/** What clients say, and what they are told about it. */
const conversation: Readonly<Record<string, MessageDocs>> = {
  subscribe: { summary: 'asks for a channel of some symbols', schema: ofEachChannel('Subscribe', subscribeMessage) },
  unsubscribe: { summary: 'ends subscriptions', schema: ofEachChannel('Unsubscribe', unsubscribeMessage) },
  ping: { summary: 'asks for a sign of life', schema: Ping },
  subscribed: { summary: 'comes before the first message of the subscription', schema: ofEachChannel('Subscribed', subscribedMessage) },
  unsubscribed: {
    summary: 'no message of the subscription follows; with a code nobody asked for it',
    schema: ofEachChannel('Unsubscribed', unsubscribedMessage),
  },
  pong: { summary: 'the answer to ping', schema: Pong },
  error: { summary: 'a message could not be followed; the connection lives on', schema: ErrorAnswer },
};

/** AsyncAPI 3.0 of `/ws`. `host` is where this process was asked, `127.0.0.1:8080`, and `protocol` how it was. */
export function asyncApi(host: string, protocol: 'http' | 'https'): Json {
  const components = new Components();
  const messages: Record<string, Json> = {};
  for (const [name, docs] of Object.entries(conversation)) messages[name] = message(name, docs, components);
  const operations: Record<string, Json> = {
    subscribe: operation('receive', 'Follows symbols', ['subscribe'], ['subscribed', 'error']),
    unsubscribe: operation('receive', 'Ends subscriptions', ['unsubscribe'], ['unsubscribed', 'error']),
    ping: operation('receive', 'Asks for a sign of life', ['ping'], ['pong', 'error']),
    ended: operation('send', 'Tells that a symbol is no longer tracked', ['unsubscribed']),
  };
  for (const channel of channelNames) {
    const { summary, pushes } = channelDocs[channel];
    for (const [type, docs] of Object.entries(pushes)) messages[`${channel}.${type}`] = message(`${channel}.${type}`, docs, components);
    operations[`push_${channel}`] = operation(
      'send',
      `${channel}: ${summary}`,
      Object.keys(pushes).map((type) => `${channel}.${type}`),
    );
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'market-data-processor',
      version: packageVersion(),
      description: DESCRIPTION,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: { engine: { host, protocol: protocol === 'https' ? 'wss' : 'ws', description: 'this process' } },
    channels: {
      ws: {
        address: '/ws',
        description: 'The push protocol; compression is not offered.',
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations,
    components: { messages, schemas: components.schemas },
  };
}

function ofEachChannel(name: string, schema: (channel: (typeof channelNames)[number], parameters: never) => TSchema): TSchema {
  return Type.Union(channelNames.map((channel) => named(`${name}.${channel}`, schema(channel, channelDocs[channel].parameters as never))));
}

function named(name: string, schema: TSchema): TSchema {
  return { ...schema, $id: name };
}

function message(name: string, { summary, schema }: MessageDocs, components: Components): Json {
  return { name, summary, payload: components.take(schema) };
}

function operation(action: 'send' | 'receive', summary: string, names: readonly string[], answers?: readonly string[]): Json {
  const refer = (name: string): Json => ({ $ref: `#/channels/ws/messages/${name}` });
  const channel = { $ref: '#/channels/ws' };
  return {
    action,
    summary,
    channel,
    messages: names.map(refer),
    ...(answers !== undefined && { reply: { channel, messages: answers.map(refer) } }),
  };
}
