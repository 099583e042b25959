import { createRequire } from 'node:module';
import { decodeFetchResponse, type FetchResponse } from './fetch-response.ts';
import { DEFAULT_LIMITS, type FetchLimits } from './limits.ts';

/** The versions of Fetch that know transactions and that kafkajs 2.2.4 speaks. */
const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];

const limits: FetchLimits = { ...DEFAULT_LIMITS };

/**
 * Makes every kafkajs client of this process decode fetch responses with `decodeFetchResponse`. May be called again;
 * limits that a call leaves out stay as they are. They hold for the whole process.
 */
export function installFetchDecoder(changes: Partial<FetchLimits> = {}): void {
  Object.assign(limits, changes);
  const require = createRequire(import.meta.url);
  for (const version of VERSIONS) {
    const response = require(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as {
      decode: (data: Buffer) => Promise<FetchResponse>;
    };
    response.decode = (data) => decodeFetchResponse(version, data, limits);
  }
}
