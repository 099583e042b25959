/** TypeScript declares WebAssembly for browsers only; Node has all of it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
  RuntimeError: new () => Error;
};

/** What `startWasm` makes instances of, each with a memory of its own. */
export type WasmModule = object;

/** `base64`: of the bytes of a module, as the generated files hold them. */
export function compileWasm(base64: string): WasmModule {
  return new WebAssembly.Module(Buffer.from(base64, 'base64'));
}

/** The exports of a new instance, which the caller knows. */
export function startWasm(module: WasmModule, imports: object = {}): unknown {
  return new WebAssembly.Instance(module, imports).exports;
}

/** Whether an instance came to a trap: it is not to be used again. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}
