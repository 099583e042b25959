import { int32, RawConnection, string } from '../suites/raw-connection.ts';

const ALTER_CLIENT_QUOTAS = 49;

/** AlterClientQuotas, version 0, for one client id; https://kafka.apache.org/protocol#The_Messages_AlterClientQuotas */
export async function setQuotas(
  broker: string,
  clientId: string,
  quotas: Readonly<Record<string, number>>,
): Promise<void> {
  const connection = await RawConnection.open(broker);
  try {
    const entries = Object.entries(quotas);
    const answer = await connection.request(ALTER_CLIENT_QUOTAS, 0, [
      int32(1),
      int32(1),
      string('client-id'),
      string(clientId),
      int32(entries.length),
      ...entries.flatMap(([key, value]) => [string(key), float64(value), Buffer.from([0])]),
      Buffer.from([0]), // not only validated
    ]);
    // The throttle time, the number of entries, the error code of the first.
    const errorCode = answer.readInt16BE(8);
    if (errorCode !== 0) throw new Error(`setting quotas of ${clientId}: error code ${errorCode}`);
  } finally {
    connection.close();
  }
}

function float64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer;
}
