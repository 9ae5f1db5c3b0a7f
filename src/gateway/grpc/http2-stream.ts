import type { ServerHttp2Stream } from 'node:http2';

/**
 * The HTTP/2 stream below a call. grpc-js shows no way to it, and none to reset a call whose client does not read; when it lies elsewhere in
 * another version, such a call stays until its connection ends, bounded by the limits on streams. A test ends one of each kind.
 */
export function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  // What a handler gets holds the call that an interceptor gets.
  const { call: inner = call } = call as { readonly call?: object };
  return (inner as { readonly stream?: ServerHttp2Stream }).stream;
}
