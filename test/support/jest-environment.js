import { TestEnvironment } from 'jest-environment-node';

/**
 * jest runs tests in a realm of its own, with its own typed arrays; native addons check against the
 * outer realm's, so a sandboxed `Float32Array` would be refused as a tensor.
 */
export default class NativeArraysEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, {
      Float32Array,
      BigInt64Array,
      Uint8Array,
      ArrayBuffer,
      SharedArrayBuffer,
    });
  }
}
