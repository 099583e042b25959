import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import type { Certificates } from './certificates.ts';

const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="pw-bob";';

/** Shorter than the time that kafkajs by default authenticates before the end of a session, in ms. */
export const SESSION_MS = 3_000;

/** A broker with a listener for each way to show who a client is. Users: alice by SCRAM, bob by PLAIN. */
export async function startSecuredKafka(certificates: Certificates): Promise<LocalKafka> {
  const sasl = ['SASL_PLAINTEXT', 'SASL_PLAINTEXT_SHORT', 'SASL_SSL', 'SASL_SSL_PLAIN'] as const;
  const jaas = sasl.flatMap((listener) => {
    const name = `listener.name.${listener.toLowerCase()}`;
    return [
      [`${name}.scram-sha-256.sasl.jaas.config`, SCRAM],
      [`${name}.scram-sha-512.sasl.jaas.config`, SCRAM],
      [`${name}.plain.sasl.jaas.config`, PLAIN],
    ];
  });
  return startLocalKafka({
    listeners: [...sasl, 'SSL', 'SSL_EXPIRED', 'SSL_EARLY', 'SSL_ELSEWHERE'],
    scramUsers: { alice: 'pw-alice' },
    properties: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.brokerKeystore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.ca,
      'listener.name.ssl.ssl.client.auth': 'required',
      'listener.name.ssl_expired.ssl.keystore.location': certificates.expiredKeystore,
      'listener.name.ssl_early.ssl.keystore.location': certificates.notYetValidKeystore,
      'listener.name.ssl_elsewhere.ssl.keystore.location': certificates.otherHostKeystore,
      'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
      'listener.name.sasl_ssl_plain.sasl.enabled.mechanisms': 'PLAIN',
      ...Object.fromEntries(
        ['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism) => [
          `listener.name.sasl_plaintext_short.${mechanism}.connections.max.reauth.ms`,
          SESSION_MS,
        ]),
      ),
      ...(Object.fromEntries(jaas) as Record<string, string>),
    },
  });
}
