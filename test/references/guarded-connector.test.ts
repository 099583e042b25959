import { expect, it } from '@jest/globals';
import { createAddressPolicy } from '../../src/references/address-policy.ts';
import { createGuardedConnector } from '../../src/references/guarded-connector.ts';
import { startRecordingServer } from '../support/recording-server.ts';

it.each([
  ['forbidden', [], 0],
  ['allowed', ['127.0.0.1/32'], 1],
])('an address that nobody has to look up is judged all the same: %s', async (_, allow, count) => {
  const server = await startRecordingServer(() => undefined);
  const connect = createGuardedConnector({
    addresses: createAddressPolicy(allow),
    timeoutMs: 1_000,
  });
  const target = { hostname: '127.0.0.1', protocol: 'http:', port: String(server.port) };
  const error = await new Promise((resolve) => {
    connect(target, (fault, socket) => {
      socket?.destroy();
      resolve(fault);
    });
  });
  if (count === 0) expect(error).toMatchObject({ code: 'image_url_refused' });
  else expect(error).toBeNull();
  await server.close();
  expect(server.connections()).toBe(count);
});
