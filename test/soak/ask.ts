/** What came of a request. */
export interface Reply {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

/** Requests that were sent again. */
export const again = { count: 0 };

/**
 * A request to a server of ours. One that finds its kept connection closed by the server, which any may after 5 s without a request, is sent again
 * once: only the client can know that nothing was answered.
 */
export async function ask(url: string, body?: string): Promise<Reply> {
  try {
    return await once(url, body);
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    if (code !== 'UND_ERR_SOCKET' && code !== 'ECONNRESET' && code !== 'EPIPE')
      throw new Error(`${url}: ${code ?? String(error)}`, { cause: error });
    again.count++;
    return once(url, body);
  }
}

export async function askJson<T>(url: string): Promise<T> {
  const { ok, status, text } = await ask(url);
  if (!ok) throw new Error(`${url}: ${status} ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
}

async function once(url: string, body: string | undefined): Promise<Reply> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body });
  return { ok: response.ok, status: response.status, text: await response.text() };
}
