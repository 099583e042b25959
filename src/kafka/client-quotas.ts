/** The quotas on fetches that apply to a client, as a broker describes them (KIP-546). kafkajs does not know the request. */
import { askRaw, type Broker } from './cluster.ts';
import { Decoder } from './wire.ts';

const DESCRIBE_CLIENT_QUOTAS = 48;
const FETCH_QUOTA = 'consumer_byte_rate';
const HIDDEN = 'consumer_byte_rate unknown: it takes DescribeConfigs on the cluster to see it';

interface Quota {
  /** Entity type to name; a null name is the default of the type. */
  entity: Map<string, string | null>;
  bytesPerSecond: number;
}

/** For a log line: `client-id moderato: 200000 bytes/s`. Never throws. */
export async function fetchQuotas(broker: Broker): Promise<string> {
  const clientId = broker.connectionPool.clientId;
  try {
    const quotas = decode(await askRaw(broker, REQUEST)).filter(({ entity }) => {
      const name = entity.get('client-id');
      return name === undefined || name === null || name === clientId;
    });
    const texts = quotas.map(({ entity, bytesPerSecond }) => {
      const names = [...entity].map(([type, name]) => `${type} ${name ?? '<default>'}`);
      return `${names.join(' and ')}: ${FETCH_QUOTA} ${bytesPerSecond}`;
    });
    return texts.length === 0 ? HIDDEN : texts.join(', ');
  } catch {
    return HIDDEN;
  }
}

/** Version 0: no filter; https://kafka.apache.org/protocol#The_Messages_DescribeClientQuotas */
const REQUEST = {
  apiKey: DESCRIBE_CLIENT_QUOTAS,
  apiName: 'DescribeClientQuotas',
  apiVersion: 0,
  body: Buffer.from([0, 0, 0, 0, 0]),
};

/** Throws RangeError where the answer ends too early. */
function decode(answer: Buffer): Quota[] {
  const decoder = new Decoder(answer);
  decoder.readInt32(); // throttle time
  const errorCode = decoder.readInt16();
  decoder.readString(); // its message
  if (errorCode !== 0) throw new RangeError(`error code ${errorCode}`);
  return decoder
    .readArray((entry) => {
      const entity = new Map(
        entry.readArray((part) => [part.readString() ?? '', part.readString()] as const),
      );
      const values = entry.readArray((value) => ({
        key: value.readString(),
        bytesPerSecond: value.readDouble(),
      }));
      return values
        .filter(({ key }) => key === FETCH_QUOTA)
        .map(({ bytesPerSecond }) => ({ entity, bytesPerSecond }));
    })
    .flat();
}
