import { CodedError, ErrorCode } from '../errors.js';

export type AddressSchemes = readonly [safe: string, clear: string];

export const pushSchemes: AddressSchemes = ['wss', 'ws'];
export const restSchemes: AddressSchemes = ['https', 'http'];

/** Completes the sentence "… is not". */
export function exchangeAddressRule([safe, clear]: AddressSchemes): string {
  return `an address ${safe}://… or ${clear}://… without user, password and query`;
}

/** Addresses of the exchange are logged and shown in `/status`, so nothing may be in them that others must not know. */
export function isExchangeAddress(text: string, schemes: AddressSchemes): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return schemes.includes(protocol.slice(0, -1)) && [username, password, search, hash].every((part) => part === '');
}

/** Throws CodedError CONFIG_INVALID, which does not repeat it; `name` is where it was written. */
export function checkExchangeAddress(name: string, text: string, schemes: AddressSchemes): void {
  if (!isExchangeAddress(text, schemes))
    throw new CodedError(ErrorCode.CONFIG_INVALID, `${name}: the value is not ${exchangeAddressRule(schemes)}`);
}
