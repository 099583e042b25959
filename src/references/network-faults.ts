/** Codes of a connection that did not come about, or of an answer that did not come in time: nothing was answered. */
const AWAY = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_PRX_TLS',
  'UND_ERR_PRX_CONN',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_ABORTED',
  'TimeoutError',
]);

/** Codes of an answer that breaks off, or that the parser refuses: either this answer is so each time, or it is luck. */
const BROKEN = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_ASSERTION', // undici's parser, for a 101 that no request asked for
  'HTTPParserError', // undici, where llhttp gives no code
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
]);

/** ECONNREFUSED, EAI_AGAIN, …: a system call or the resolver. */
const ERRNO = /^E(?!RR_)[A-Z_]+$/;

/** Node and OpenSSL: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_|HOSTNAME_|INVALID_|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

/** Codes of llhttp, in undici and in node:http. */
const PARSER = /^HPE_/;

/**
 * What the code of an error in an exchange says: `away`: there was no answer; `broken`: there was one, or its
 * beginning; `other`: the library refused the request, or nothing is known of the code.
 */
export function exchangeKind(code: string): 'away' | 'broken' | 'other' {
  if (BROKEN.has(code) || PARSER.test(code)) return 'broken';
  if (AWAY.has(code) || ERRNO.test(code) || TLS.test(code)) return 'away';
  return 'other';
}

/** Whether bytes came that the parser refused, so that the host is there. */
export function isParserCode(code: string): boolean {
  return (
    PARSER.test(code) ||
    ['HTTPParserError', 'ERR_ASSERTION', 'UND_ERR_HEADERS_OVERFLOW'].includes(code)
  );
}

/** Whether the other side could not prove who it is. */
export function isCertificateCode(code: string): boolean {
  return TLS.test(code);
}
