import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { isPassing, kafkaError } from '../../src/kafka/errors.ts';
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
      'a missing topic',
      protocolError('UNKNOWN_TOPIC_OR_PARTITION'),
      'topic_missing',
      /topics create/,
    ],
    [
      'one found after retries',
      retriesExceeded(protocolError('UNKNOWN_TOPIC_OR_PARTITION', true)),
      'topic_missing',
      /UNKNOWN_TOPIC/,
    ],
    [
      'one wrapped as not retriable',
      nonRetriable('wrapped', protocolError('TOPIC_AUTHORIZATION_FAILED')),
      'kafka_unauthorized',
      /grant/,
    ],
    [
      'a wrong password',
      authenticationError('Authentication failed'),
      'kafka_unauthorized',
      /password/,
    ],
    ['a missing right', protocolError('GROUP_AUTHORIZATION_FAILED'), 'kafka_unauthorized', /grant/],
    ['a message too large', protocolError('MESSAGE_TOO_LARGE'), 'record_too_large', /max.message/],
    [
      'a batch too large',
      protocolError('RECORD_LIST_TOO_LARGE'),
      'record_too_large',
      /max.message/,
    ],
    [
      'a broker that is away',
      retriesExceeded(connectionError('connect ECONNREFUSED')),
      'kafka_unavailable',
      /ECONNREFUSED.*kafka\.brokers/,
    ],
    [
      'an untrusted certificate',
      connectionError('self-signed certificate'),
      'kafka_unavailable',
      /kafka\.tls\.ca/,
    ],
    [
      'one of several faults',
      aggregateError([new Error('a'), protocolError('CLUSTER_AUTHORIZATION_FAILED')]),
      'kafka_unauthorized',
      /grant/,
    ],
  ])('names %s', (_, error, code, message) => {
    const mapped = kafkaError(error, 'sending to verdicts');
    expect(mapped).toBeInstanceOf(AppError);
    expect(mapped).toMatchObject({ code });
    expect(mapped.message).toMatch(/^sending to verdicts: /);
    expect(mapped.message).toMatch(message);
    expect(mapped.cause).toBe(error);
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
    ['a refusal', protocolError('INVALID_RECORD'), false],
    ['a wrapped refusal', nonRetriable('w', protocolError('X')), false],
  ])('%s', (_, error, passing) => {
    expect(isPassing(error)).toBe(passing);
  });
});
