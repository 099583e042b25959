import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import type { KafkaResource } from '../../src/kafka/acl.ts';
import { isPassing, kafkaError, waitingFor } from '../../src/kafka/errors.ts';
import { REMEDIES } from '../../src/kafka/remedies.ts';
import {
  aggregateError,
  authenticationError,
  connectionError,
  nonRetriable,
  protocolError,
  retriesExceeded,
} from '../support/kafka-faults.ts';

describe('kafkaError', () => {
  it.each<[string, Error, string, RegExp]>([
    [
      'one found after retries',
      retriesExceeded(protocolError('UNKNOWN_TOPIC_OR_PARTITION', true)),
      'topic_missing',
      /UNKNOWN_TOPIC.*topics create/,
    ],
    [
      'one wrapped as not retriable',
      nonRetriable('wrapped', protocolError('TOPIC_AUTHORIZATION_FAILED')),
      'kafka_unauthorized',
      /lacks Read on a topic: moderato check/,
    ],
    [
      'a wrong password',
      authenticationError('Authentication failed'),
      'kafka_unauthorized',
      /check kafka\.sasl\.username and the password/,
    ],
    [
      'one of several faults: that which somebody must correct',
      aggregateError([
        connectionError('connect ECONNREFUSED', 'ECONNREFUSED'),
        protocolError('CLUSTER_AUTHORIZATION_FAILED'),
      ]),
      'kafka_unauthorized',
      /--operation IdempotentWrite --cluster$/,
    ],
    [
      'an outage before what passes by itself',
      aggregateError([
        protocolError('GROUP_LOAD_IN_PROGRESS', true),
        connectionError('connect ECONNREFUSED', 'ECONNREFUSED'),
      ]),
      'kafka_unavailable',
      /nothing listens there/,
    ],
    [
      'a broker that took a connection and never answered',
      new Error('Broker not connected'),
      'kafka_unavailable',
      /did not answer/,
    ],
    [
      'a connection that nobody answers',
      named('KafkaJSConnectionError', 'Connection timeout'),
      'kafka_unavailable',
      /nobody answers there/,
    ],
    [
      'an answer that is not in the table',
      protocolError('INVALID_RECORD'),
      'kafka_unavailable',
      /INVALID_RECORD\).*protocol_error_codes/,
    ],
    [
      'a trouble that is not in the table',
      connectionError('what is this'),
      'kafka_unavailable',
      /check that kafka\.brokers are up/,
    ],
  ])('names %s', (_, error, code, message) => {
    const mapped = kafkaError(error, 'sending to verdicts');
    expect(mapped).toBeInstanceOf(AppError);
    expect(mapped).toMatchObject({ code });
    expect(mapped.message).toMatch(/^sending to verdicts: /);
    expect(mapped.message).toMatch(message);
    expect(mapped.cause).toBe(error);
  });

  it.each([...REMEDIES])('has a code and advice for %s', (tag, { code, advice }) => {
    const error = errorWith(tag);
    const mapped = kafkaError(error, 'sending');
    const text = typeof advice === 'string' ? advice : advice({});
    expect(mapped).toMatchObject({ code });
    expect(mapped.message).toMatch(/^sending: [^\n]+$/);
    expect(mapped.message.endsWith(`; ${text}`)).toBe(true);
  });

  it.each<[string, KafkaResource, string]>([
    [
      'TOPIC_AUTHORIZATION_FAILED',
      { topic: 'verdicts', operation: 'Write', principal: 'User:alice' },
      'User:alice lacks Write on topic verdicts; grant it: kafka-acls.sh --add --allow-principal User:alice --operation Write --topic verdicts',
    ],
    [
      'TOPIC_AUTHORIZATION_FAILED',
      { topic: ['a', 'b'] },
      "User:<this user> lacks Read on topic a, b; grant it: kafka-acls.sh --add --allow-principal 'User:<this user>' --operation Read --topic a --topic b",
    ],
    [
      'GROUP_AUTHORIZATION_FAILED',
      { group: "bob's group", principal: 'User:bob' },
      `User:bob lacks Read on group bob's group; grant it: kafka-acls.sh --add --allow-principal User:bob --operation Read --group 'bob'\\''s group'`,
    ],
    [
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      { transactionalId: 'moderato-g-images-12', principal: 'User:alice' },
      'User:alice lacks Write on transactional ids that begin with moderato-g-images-; grant it: kafka-acls.sh --add --allow-principal User:alice --operation Write --transactional-id moderato-g-images- --resource-pattern-type prefixed',
    ],
    [
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      { transactionalId: 'moderato-redrive-letters-2', principal: 'User:alice' },
      'User:alice lacks Write on transactional id moderato-redrive-letters-2; grant it: kafka-acls.sh --add --allow-principal User:alice --operation Write --transactional-id moderato-redrive-letters-2',
    ],
  ])('says who lacks what and how it is granted: %s %j', (type, resource, advice) => {
    expect(kafkaError(protocolError(type), 'doing it', resource).message).toMatch(
      new RegExp(`\\(${type}\\); `),
    );
    expect(kafkaError(protocolError(type), 'doing it', resource).message.endsWith(advice)).toBe(
      true,
    );
  });

  it('leaves an error alone that is not of the Kafka client: nobody foresaw it', () => {
    const defect = new TypeError('undefined is not a function');
    expect(kafkaError(defect, 'sending')).toBe(defect);
    const ours = new AppError('registry_unavailable', 'registering a schema');
    expect(kafkaError(ours, 'sending')).toBe(ours);
  });

  it('ends on errors that cause each other', () => {
    const error = nonRetriable('a');
    Object.assign(error, { cause: error });
    expect(kafkaError(error, 'sending')).toMatchObject({ code: 'kafka_unavailable' });
  });
});

describe('isPassing', () => {
  it.each<[string, Error, boolean]>([
    ['no connection', connectionError('refused'), true],
    ['a leader that moves', retriesExceeded(protocolError('NOT_LEADER_FOR_PARTITION', true)), true],
    ['a broken sequence', protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER'), true],
    ['a coordinator that is loading', protocolError('GROUP_LOAD_IN_PROGRESS'), true],
    [
      'a coordinator that has moved',
      nonRetriable('w', protocolError('NOT_COORDINATOR_FOR_GROUP')),
      true,
    ],
    ['a coordinator that is not there yet', protocolError('GROUP_COORDINATOR_NOT_AVAILABLE'), true],
    ['a right that is missing', protocolError('GROUP_AUTHORIZATION_FAILED'), false],
    ['a refusal', protocolError('INVALID_RECORD'), false],
    ['a wrapped refusal', nonRetriable('w', protocolError('X')), false],
  ])('%s', (_, error, passing) => {
    expect(isPassing(error)).toBe(passing);
  });
});

describe('waitingFor', () => {
  it('says what passes by itself, and nothing of what does not', () => {
    const loading = retriesExceeded(protocolError('GROUP_LOAD_IN_PROGRESS', true));
    expect(waitingFor(loading)).toBe('the coordinator, which is loading');
    expect(waitingFor(protocolError('GROUP_AUTHORIZATION_FAILED'))).toBeUndefined();
    expect(waitingFor(connectionError('refused', 'ECONNREFUSED'))).toBeUndefined();
  });
});

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** The error that a line of the table is for. */
function errorWith(tag: string): Error {
  if (tag === 'CONNECTION_TIMEOUT') return named('KafkaJSConnectionError', 'Connection timeout');
  if (tag === 'BROKER_NOT_CONNECTED') return new Error('Broker not connected');
  if (tag.startsWith('KafkaJS')) return named(tag, 'it failed');
  const isSocket = /^(?:E[A-Z]|ERR_|CERT_|SELF_|DEPTH_|UNABLE_|LISTENER_|CLIENT_)/.test(tag);
  return isSocket ? connectionError('it failed', tag) : protocolError(tag);
}
