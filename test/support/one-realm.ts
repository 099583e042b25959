/**
 * jest runs tests in a realm of their own, where an error of Node's own modules is no `instanceof Error`. Imported,
 * this makes it one again, as it is outside jest, for libraries that ask.
 */
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown): boolean {
    if (this === Error) return Object.prototype.toString.call(candidate) === '[object Error]';
    return Function.prototype[Symbol.hasInstance].call(this as () => unknown, candidate);
  },
});
