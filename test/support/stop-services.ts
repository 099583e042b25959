/** Ends what start-services.ts started. */
// eslint-disable-next-line no-restricted-exports -- jest asks for a default export
export default async function stopServices(): Promise<void> {
  await globalThis.broker?.stop();
}
