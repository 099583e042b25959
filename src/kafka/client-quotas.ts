/** The quotas on fetches that apply to a client, as a broker describes them (KIP-546). kafkajs does not know the request. */
import { askRaw, type Broker } from './cluster.ts';

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
  let at = 4; // behind the throttle time
  const int16 = (): number => answer.readInt16BE((at += 2) - 2);
  const int32 = (): number => answer.readInt32BE((at += 4) - 4);
  const string = (): string | null => {
    const length = int16();
    return length < 0 ? null : answer.toString('utf8', at, (at += length));
  };
  const errorCode = int16();
  string(); // its message
  if (errorCode !== 0) throw new RangeError(`error code ${errorCode}`);
  const quotas: Quota[] = [];
  for (let entries = int32(); entries > 0; entries -= 1) {
    const entity = new Map<string, string | null>();
    for (let parts = int32(); parts > 0; parts -= 1) entity.set(string() ?? '', string());
    for (let values = int32(); values > 0; values -= 1) {
      const key = string();
      const bytesPerSecond = answer.readDoubleBE((at += 8) - 8);
      if (key === FETCH_QUOTA) quotas.push({ entity, bytesPerSecond });
    }
  }
  return quotas;
}
