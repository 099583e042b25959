import { AppError, type ErrorCode } from '../errors.ts';
import { unavailable, unfetchable } from './fetch-faults.ts';
import type { LibraryFault } from './library-fault.ts';
import { exchangeKind, isCertificateCode } from './network-faults.ts';

/** What a status other than 200 and a redirect says of the image. RFC 9110, section 15. */
export function statusFault(name: string, dependency: string, status: number): AppError {
  const why = `the host answered ${status}`;
  const code = statusCode(status);
  if (code === 'image_store_unavailable') return unavailable(name, { why, dependency });
  return new AppError(code, `fetching image ${name}: ${why}`);
}

function statusCode(status: number): ErrorCode {
  if ([404, 410].includes(status)) return 'image_not_found';
  if ([401, 403, 451].includes(status)) return 'image_forbidden';
  if ([408, 425, 429].includes(status) || (status >= 500 && status <= 599)) {
    return 'image_store_unavailable';
  }
  return 'image_unfetchable';
}

/**
 * The coded form of an error in an exchange. A certificate that does not verify is the connection's fault, like
 * every other that keeps an answer from coming. An unknown code is never an outage: it came with one reference.
 */
export function exchangeFault(name: string, dependency: string, fault: LibraryFault): AppError {
  const { code, cause } = fault;
  if (exchangeKind(code) === 'other') {
    return unfetchable(name, `what was asked or answered is not understood (${code})`, cause);
  }
  const remedy = isCertificateCode(code)
    ? '; is its certificate valid, and its authority among NODE_EXTRA_CA_CERTS?'
    : '';
  return unavailable(name, { why: `no whole answer (${code})${remedy}`, dependency, cause });
}
