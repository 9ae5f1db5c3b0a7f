import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SnapshotGate {
  readonly restUrl: string;
  /** Depth requests that came so far. */
  readonly depthRequests: number;
  /** Answers depth requests with the recorded snapshots, those that wait first. */
  open(): void;
  /** Lets the playback go on, past all recorded snapshots. Depth requests from now on pass to the exchange. */
  release(): Promise<void>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Stands before the REST side of a recorded market that waits for its client, and takes charge of its snapshots: clients can subscribe before
 * any book is live (until `open`), and every book is live before the pushes behind its snapshot come (until `release`), so that each push is
 * one message to a client. Nothing is changed on its way.
 */
export async function startSnapshotGate(upstream: string, symbols: readonly string[]): Promise<SnapshotGate> {
  // Nobody subscribes to the symbols yet, so the playback does not take these for the requests it waits for.
  const paths = symbols.map((symbol) => `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=5000`);
  const recorded = new Map(await Promise.all(paths.map(async (path) => [path, await ask(upstream + path)] as const)));
  let depthRequests = 0;
  let released = false;
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const answer = async (path: string): Promise<Answer> => {
    if (!path.startsWith('/api/v3/depth')) return ask(upstream + path);
    depthRequests++;
    await opened;
    return (released ? undefined : recorded.get(path)) ?? ask(upstream + path);
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, headers, body } = await answer(request.url ?? '/');
    response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    restUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get depthRequests() {
      return depthRequests;
    },
    open,
    release: async () => {
      released = true;
      await Promise.all(paths.map((path) => ask(upstream + path)));
    },
    close: async () => {
      open();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function ask(url: string): Promise<Answer> {
  const answer = await fetch(url);
  const headers = [...answer.headers].filter(([name]) => ['content-type', 'retry-after', 'x-simulated-exchange'].includes(name));
  return { status: answer.status, headers: Object.fromEntries(headers), body: Buffer.from(await answer.arrayBuffer()) };
}
