import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CodedError, ErrorCode } from '../../support/errors.js';

/** Certificate chain and private key in PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads certificate and key; `undefined` when neither is given. They are read once: a renewed certificate counts from the next start on.
 * Throws CodedError TLS_UNUSABLE, which names the file and what is wrong, never what is in it.
 */
export function loadTls(certFile: string | null, keyFile: string | null): TlsPair | undefined {
  if (certFile === null && keyFile === null) return undefined;
  if (certFile === null || keyFile === null) throw unusable('--tls-cert and --tls-key belong together: one of them is missing');
  const cert = read(certFile);
  const key = read(keyFile);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw unusable(`${certFile} and ${keyFile} are no certificate and its key: ${reasonOf(error)}`);
  }
  return { cert, key };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unusable(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unusable(message: string): CodedError {
  return new CodedError(ErrorCode.TLS_UNUSABLE, message);
}
