import { inspect } from 'node:util';
import { CodedError, ErrorCode } from '../support/errors.js';

/** Exit codes: 0 asked to end, 1 failed, 2 the configuration is wrong, 3 an error nobody caught, of whatever kind. */
export const EXIT_FAILED = 1;
export const EXIT_CONFIG = 2;
export const EXIT_UNCAUGHT = 3;

/** What has to be configured differently before the command can run. */
const configCodes: ReadonlySet<ErrorCode> = new Set([ErrorCode.CONFIG_INVALID, ErrorCode.PUBLIC_WITHOUT_KEYS, ErrorCode.TLS_UNUSABLE]);

const GRPC_PORT_HINT = '; choose another with --grpc-port, any free one with --grpc-port 0, or none with --grpc-port off';

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
}

/** Ends the process with the reason on standard error. */
export function exitWithError(error: unknown): never {
  process.stderr.write(`mdp: ${errorText(error)}\n`);
  process.exit(error instanceof CodedError && configCodes.has(error.code) ? EXIT_CONFIG : EXIT_FAILED);
}

/** An error nobody caught, or a promise nobody saw rejected, leaves the process in an unknown state, so it ends. */
export function dieOnUncaught(): void {
  process.on('uncaughtException', exitUncaught);
  // Without it Node's own options decide whether such a promise ends the process.
  process.on('unhandledRejection', exitUncaught);
}

function exitUncaught(error: unknown): never {
  process.stderr.write(`mdp: ${ErrorCode.UNCAUGHT_ERROR}: ${bugText(error)}\n`);
  process.exit(EXIT_UNCAUGHT);
}

/** Why it failed, in one line; a list of configuration problems keeps its lines. */
export function errorText(error: unknown): string {
  if (error instanceof CodedError) {
    if (error.code === ErrorCode.CONFIG_INVALID) return error.message;
    const hint = error.code === ErrorCode.GRPC_PORT_UNAVAILABLE ? GRPC_PORT_HINT : '';
    return oneLine(`${error.code}: ${error.message}${hint}`);
  }
  if (!(error instanceof Error)) return oneLine(typeof error === 'string' ? error : inspect(error));
  if (isSystemError(error)) return oneLine(systemErrorText(error));
  // A bug of ours: without its place the line would be of no use.
  return oneLine(`${error.name}: ${error.message}${placeOf(error)}`);
}

/** The same of an error nobody caught: one of ours, or of the system, is a bug there as well, and has a place. */
export function bugText(error: unknown): string {
  if (!(error instanceof CodedError || (error instanceof Error && isSystemError(error)))) return errorText(error);
  return oneLine(`${error.code}: ${error.message}${placeOf(error)}`);
}

function placeOf({ stack }: Error): string {
  const place = stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return place === undefined ? '' : ` (${place.trim()})`;
}

function systemErrorText(error: SystemError): string {
  const where = error.port === undefined ? '' : ` ${error.address ?? ''}:${error.port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `port${where} is in use; choose another with --port, or any free one with --port 0`;
    case 'EACCES':
      return `no permission: ${error.message}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `no such address on this machine: ${error.message}`;
    default:
      return error.message.includes(error.code) ? error.message : `${error.code}: ${error.message}`;
  }
}

function isSystemError(error: Error): error is SystemError {
  return typeof (error as { readonly code?: unknown }).code === 'string';
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
