import { describe, expect, it } from '@jest/globals';
import { fetchQuotas } from '../../src/kafka/client-quotas.ts';
import type { Broker, ProtocolRequest } from '../../src/kafka/cluster.ts';
import { int16, int32, string } from '../../suites/raw-connection.ts';

type Quota = [entity: Array<[type: string, name: string | null]>, values: Record<string, number>];

const nullable = (text: string | null): Buffer => (text === null ? int16(-1) : string(text));
const double = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer;
};

/** DescribeClientQuotas, version 0, as a broker answers it. */
function answer(quotas: readonly Quota[], errorCode = 0): Buffer {
  return Buffer.concat([
    int32(0),
    int16(errorCode),
    nullable(errorCode === 0 ? null : 'refused'),
    int32(quotas.length),
    ...quotas.flatMap(([entity, values]) => [
      int32(entity.length),
      ...entity.flatMap(([type, name]) => [string(type), nullable(name)]),
      int32(Object.keys(values).length),
      ...Object.entries(values).flatMap(([key, value]) => [string(key), double(value)]),
    ]),
  ]);
}

function brokerThat(answers: () => Buffer): { broker: Broker; requests: unknown[] } {
  const requests: unknown[] = [];
  const connectionPool = {
    clientId: 'moderato',
    send: (request: ProtocolRequest) => {
      requests.push(request.request);
      return Promise.resolve(answers()).then((bytes) => request.response.decode(bytes));
    },
  };
  return { broker: { nodeId: 1, connectionPool } as unknown as Broker, requests };
}

describe('the quotas on fetches in effect', () => {
  it('are those of this client id, of its user, and of the defaults, and no others', async () => {
    const rate = { consumer_byte_rate: 200_000, producer_byte_rate: 5 };
    const { broker, requests } = brokerThat(() =>
      answer([
        [[['client-id', 'moderato']], rate],
        [[['client-id', 'another']], rate],
        [[['client-id', null]], { consumer_byte_rate: 1e6 }],
        [
          [
            ['user', 'alice'],
            ['client-id', 'moderato'],
          ],
          { producer_byte_rate: 7 },
        ],
        [[['user', 'alice']], { consumer_byte_rate: 3.5 }],
      ]),
    );
    expect(await fetchQuotas(broker)).toBe(
      'client-id moderato: consumer_byte_rate 200000, client-id <default>: consumer_byte_rate 1000000, user alice: consumer_byte_rate 3.5',
    );
    expect(requests).toMatchObject([{ apiKey: 48, apiVersion: 0 }]);
  });

  it.each([
    ['the broker refuses to say', () => answer([], 31)],
    ['it has none', () => answer([])],
    ['the answer is cut short', () => answer([[[['user', 'a']], { x: 1 }]]).subarray(0, 20)],
    [
      'the connection breaks',
      () => {
        throw new Error('closed');
      },
    ],
  ])('are unknown when %s', async (_, answers) => {
    expect(await fetchQuotas(brokerThat(answers).broker)).toContain('unknown');
  });
});
