/** For a connection or an answer that did not come about, or not to its end. */
const BROKEN_OFF = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INFO',
  'UND_ERR_ABORTED',
  'UND_ERR_PRX_TLS',
  'UND_ERR_PRX_CONN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** ECONNREFUSED, EAI_AGAIN, …: of a system call or the resolver. */
const ERRNO = /^E(?!RR_)[A-Z_]+$/;

/** Of Node and OpenSSL: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_|HOSTNAME_|INVALID_|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

/** The code of an error that says something of the network and nothing of an image; null for any other error. */
export function networkCode(error: unknown): string | null {
  const code = codeOf(error);
  if (code === null) return null;
  return BROKEN_OFF.has(code) || ERRNO.test(code) || TLS.test(code) ? code : null;
}

/** Whether the other side could not prove who it is. */
export function isCertificateCode(code: string): boolean {
  return TLS.test(code);
}

export function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
