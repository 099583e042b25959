/** Aborts at the first SIGINT or SIGTERM, for a command that ends its reading then; a second one ends the process. */
export function untilSignal(): AbortController {
  const until = new AbortController();
  process.once('SIGINT', () => until.abort());
  process.once('SIGTERM', () => until.abort());
  return until;
}
