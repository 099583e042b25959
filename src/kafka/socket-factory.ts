import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;
/** How long a TLS record of the type "alert" begins (RFC 8446, section 5.1): type 21, version 3.x. */
const ALERT = [0x15, 0x03] as const;
/** A response begins with its size. */
const SIZE_BYTES = 4;

/** The broker's answer to the client's certificate, in OpenSSL's names. */
const CERTIFICATE_ALERT = /ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/;
const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/**
 * Sockets as kafkajs makes them, which also notice when client and listener do not fit each other: all that kafkajs
 * sees of that is a closed connection. The codes of their errors are in remedies.ts.
 */
export function createSocketFactory({ sasl }: { sasl: boolean }): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const options = ssl as ConnectionOptions | true | undefined | null;
    const socket = options
      ? connectTls(
          {
            host,
            port,
            ...(isIP(host) === 0 && { servername: host }),
            ...(options === true ? {} : options),
          },
          onConnect,
        )
      : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (options) nameTlsFaults(socket, options !== true && options.cert !== undefined);
    else noticeTls(socket);
    if (!sasl) noticeSasl(socket);
    return socket;
  };
}

function nameTlsFaults(socket: Socket, hasCertificate: boolean): void {
  let isSecure = false;
  socket.once('secureConnect', () => {
    isSecure = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException & { reason?: string }) => {
    const { code = '', reason } = error;
    if (reason !== undefined) error.message = reason; // OpenSSL's message has source lines and a line break
    if (CERTIFICATE_ALERT.test(code)) {
      error.code = hasCertificate ? 'CLIENT_CERTIFICATE_REFUSED' : 'CLIENT_CERTIFICATE_MISSING';
    } else if (NOT_TLS.has(code) || (code === 'ECONNRESET' && !isSecure)) {
      error.code = 'LISTENER_WITHOUT_TLS';
    }
  });
}

/** A TLS listener answers plain text with an alert. */
function noticeTls(socket: Socket): void {
  socket.once('data', (chunk) => {
    if (chunk[0] !== ALERT[0] || chunk[1] !== ALERT[1]) return;
    socket.destroy(faultOf('LISTENER_WANTS_TLS', 'the broker answered with a TLS alert'));
  });
}

/** A SASL listener tells a client without SASL its versions, and closes the connection at the next request. */
function noticeSasl(socket: Socket): void {
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    if (received.length > greetingLength(received)) stop();
  };
  const onEnd = (): void => {
    stop();
    if (received.length !== greetingLength(received)) return;
    // Before kafkajs notices the end: it keeps the first error only.
    socket.emit('error', faultOf('LISTENER_WANTS_SASL', 'connection closed by the broker'));
  };
  const stop = (): void => {
    socket.off('data', onData);
    socket.off('end', onEnd);
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
}

/** Bytes of the first response with its size; 4 while that has not arrived. */
function greetingLength(received: Buffer): number {
  return received.length < SIZE_BYTES ? SIZE_BYTES : SIZE_BYTES + received.readInt32BE(0);
}

function faultOf(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
