import type { ErrorCode } from '../errors.ts';
import { grantFor, type KafkaResource } from './acl.ts';

export interface Remedy {
  code: ErrorCode;
  /** What is wrong and what to do about it. */
  advice: string | ((resource: KafkaResource) => string);
  /** What is waited for, where the same request succeeds after a while without anybody doing anything. */
  waitingFor?: string;
}

const TRUST =
  "kafka.tls.ca must name the file with the certificate of the authority that signed the broker's; without it Node's own list of authorities counts";
const SASL_USER =
  'check kafka.sasl.username and the password (MODERATO_KAFKA_SASL_PASSWORD); the broker does not say which of the two is wrong. SCRAM users need credentials for the mechanism in kafka.sasl.mechanism';
const UNREACHABLE =
  'check the network, and kafka.brokers; if the address is not among them, it is from advertised.listeners of a broker';
const NO_ANSWER = 'the broker took the request and did not answer: check its load and its log';
const CREATE = 'create the topic (moderato topics create) or correct its name in topics';
const WIDEN = "raise the topic's max.message.bytes";

const topicMissing = (advice: string): Remedy => ({ code: 'topic_missing', advice });
const tooLarge = (advice: string): Remedy => ({ code: 'record_too_large', advice });
const refused = (advice: Remedy['advice']): Remedy => ({ code: 'kafka_unauthorized', advice });
const unavailable = (advice: string): Remedy => ({ code: 'kafka_unavailable', advice });
const passing = (waitingFor: string): Remedy => ({
  code: 'kafka_unavailable',
  advice: `waiting for ${waitingFor}; if that lasts, look at the broker's log`,
  waitingFor,
});

/**
 * What becomes of an error, by what the error has: the name of the protocol error
 * (https://kafka.apache.org/protocol#protocol_error_codes), the code of a socket (Node, OpenSSL, or our own from
 * socket-factory.ts), or the name that kafkajs gives.
 */
export const REMEDIES: ReadonlyMap<string, Remedy> = new Map([
  // topics and records
  ['UNKNOWN_TOPIC_OR_PARTITION', topicMissing(CREATE)],
  ['INVALID_TOPIC_EXCEPTION', topicMissing(CREATE)],
  ['KafkaJSTopicMetadataNotLoaded', topicMissing(CREATE)],
  ['KafkaJSMetadataNotLoaded', topicMissing(CREATE)],
  ['MESSAGE_TOO_LARGE', tooLarge(WIDEN)],
  ['RECORD_LIST_TOO_LARGE', tooLarge(WIDEN)],

  // rights
  ['TOPIC_AUTHORIZATION_FAILED', refused((resource) => grantFor('topic', resource))],
  ['GROUP_AUTHORIZATION_FAILED', refused((resource) => grantFor('group', resource))],
  [
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    refused((resource) => grantFor('transactionalId', resource)),
  ],
  ['CLUSTER_AUTHORIZATION_FAILED', refused((resource) => grantFor('cluster', resource))],
  ['SECURITY_DISABLED', refused('the broker has no authorizer (authorizer.class.name)')],

  // SASL
  ['KafkaJSSASLAuthenticationError', refused(SASL_USER)],
  ['SASL_AUTHENTICATION_FAILED', refused(SASL_USER)],
  [
    'UNSUPPORTED_SASL_MECHANISM',
    refused(
      "set kafka.sasl.mechanism to one that this listener offers (sasl.enabled.mechanisms in the broker's configuration)",
    ),
  ],
  [
    'ILLEGAL_SASL_STATE',
    refused(
      'kafka.sasl is set and this listener does not use SASL: remove kafka.sasl, or let kafka.brokers name the port of a SASL listener. If it does use SASL, its connections.max.reauth.ms is below 2 s: raise that',
    ),
  ],
  [
    'LISTENER_WANTS_SASL',
    unavailable(
      'the broker closed the connection after its greeting: unless it was just stopped, this listener wants SASL, so set kafka.sasl, or let kafka.brokers name the port of a listener without it',
    ),
  ],

  // TLS
  [
    'LISTENER_WANTS_TLS',
    unavailable(
      'this listener speaks TLS: set kafka.tls, or let kafka.brokers name the port of a plaintext listener',
    ),
  ],
  [
    'LISTENER_WITHOUT_TLS',
    unavailable(
      'unless the broker was just stopped, this listener does not speak TLS: remove kafka.tls, or let kafka.brokers name the port of a TLS listener',
    ),
  ],
  [
    'CLIENT_CERTIFICATE_MISSING',
    refused(
      'this listener wants a certificate of the client: set kafka.tls.cert and kafka.tls.key (ssl.client.auth=required)',
    ),
  ],
  [
    'CLIENT_CERTIFICATE_REFUSED',
    refused(
      "the broker does not accept the certificate in kafka.tls.cert: it must be valid today and signed by an authority in the broker's truststore",
    ),
  ],
  [
    'CERT_HAS_EXPIRED',
    unavailable(
      "the broker's certificate, or that of its authority, has expired: renew it; kafka.tls.ca need not change unless the authority does",
    ),
  ],
  [
    'CERT_NOT_YET_VALID',
    unavailable("the broker's certificate is not valid yet: compare the clocks of both machines"),
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    unavailable(
      "the broker's certificate is for another host: let kafka.brokers use a name that is in the certificate, or set kafka.tls.serverName to one",
    ),
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', unavailable(TRUST)],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', unavailable(TRUST)],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', unavailable(TRUST)],
  ['UNABLE_TO_GET_ISSUER_CERT', unavailable(TRUST)],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', unavailable(TRUST)],
  ['CERT_SIGNATURE_FAILURE', unavailable(TRUST)],

  // network
  [
    'ECONNREFUSED',
    unavailable(
      'nothing listens there: check that kafka.brokers are up and that the port is right',
    ),
  ],
  [
    'ENOTFOUND',
    unavailable(
      'there is no such host: correct kafka.brokers; if the name is not among them, it is from advertised.listeners of a broker',
    ),
  ],
  ['EAI_AGAIN', unavailable('the name server does not answer: check DNS')],
  ['ETIMEDOUT', unavailable(UNREACHABLE)],
  ['EHOSTUNREACH', unavailable(UNREACHABLE)],
  ['ENETUNREACH', unavailable(UNREACHABLE)],
  ['CONNECTION_TIMEOUT', unavailable(`nobody answers there: ${UNREACHABLE}`)],
  ['KafkaJSRequestTimeoutError', unavailable(NO_ANSWER)],
  ['BROKER_NOT_CONNECTED', unavailable(NO_ANSWER)],
  [
    'ECONNRESET',
    unavailable('the broker, or something on the way to it, broke the connection: check its log'),
  ],
  [
    'EPIPE',
    unavailable('the broker, or something on the way to it, broke the connection: check its log'),
  ],
  [
    'KafkaJSConnectionClosedError',
    unavailable(
      "the broker closed the connection: it was stopped, or it does not accept this client; the broker's log says which",
    ),
  ],

  // what passes by itself
  ['GROUP_LOAD_IN_PROGRESS', passing('the coordinator, which is loading')],
  ['GROUP_COORDINATOR_NOT_AVAILABLE', passing('a coordinator')],
  ['NOT_COORDINATOR_FOR_GROUP', passing('the coordinator, which has moved')],
  ['KafkaJSGroupCoordinatorNotFound', passing('a coordinator')],
  ['CONCURRENT_TRANSACTIONS', passing('the end of the transaction before')],
  ['LEADER_NOT_AVAILABLE', passing('a leader of the partition')],
  ['NOT_LEADER_FOR_PARTITION', passing('the leader of the partition, which has moved')],
  ['NOT_ENOUGH_REPLICAS', passing('enough in-sync replicas (min.insync.replicas)')],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', passing('enough in-sync replicas (min.insync.replicas)')],
]);

/** For a protocol error that is not in the table. */
export const UNKNOWN_ANSWER = unavailable(
  "see the error's name in https://kafka.apache.org/protocol#protocol_error_codes",
);

/** For a failed connection that is not in the table. */
export const UNKNOWN_TROUBLE = unavailable(
  'check that kafka.brokers are up, reachable, and speak what kafka.tls says',
);
