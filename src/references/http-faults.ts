import { AppError, type ErrorCode } from '../errors.ts';
import { unavailable } from './fetch-faults.ts';
import { codeOf, isCertificateCode, networkCode } from './network-faults.ts';

/** What a status other than 200 and a redirect says of the image. RFC 9110, section 15. */
export function statusFault(name: string, status: number): AppError {
  return new AppError(statusCode(status), `fetching image ${name}: the host answered ${status}`);
}

function statusCode(status: number): ErrorCode {
  if ([404, 410].includes(status)) return 'image_not_found';
  if ([401, 403, 451].includes(status)) return 'image_forbidden';
  if ([408, 425, 429].includes(status) || status >= 500) return 'image_store_unavailable';
  return 'image_unfetchable';
}

/**
 * The coded form of an error of undici, Node's network or TLS; any other comes back as it is. A certificate that
 * does not hold is the connection's fault, like every other that keeps an answer from coming.
 */
export function exchangeFault(name: string, error: unknown): unknown {
  const code = networkCode(error);
  if (code !== null) {
    const remedy = isCertificateCode(code)
      ? '; is its certificate valid, and its authority among NODE_EXTRA_CA_CERTS?'
      : '';
    return unavailable(name, `no whole answer (${code})${remedy}`, error);
  }
  if (isNoHttp(error)) {
    const message = `fetching image ${name}: what was asked or answered is not HTTP`;
    return new AppError('image_unfetchable', message, { cause: error });
  }
  return error;
}

/** For what undici will not send or take. A stranger's URL or answer must not end the process. */
const NO_HTTP = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'ERR_ASSERTION', // of its parser, at a 101 that nobody asked for
]);

function isNoHttp(error: unknown): boolean {
  const { name } = error as { name?: unknown };
  return name === 'HTTPParserError' || NO_HTTP.has(codeOf(error) ?? '');
}
