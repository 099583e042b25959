import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** The clients of one fetcher: one for each region that a bucket was found in. */
export interface S3Clients {
  /** The client for a bucket, in the region where it was last found. */
  of(bucket: string): S3Client;
  /** Notes where a bucket lies, unless that is no region. */
  locate(bucket: string, region: string | undefined): void;
  close(): void;
}

/** It becomes a part of a host name, and Amazon has a few dozen. */
const REGION = /^[a-z]{2,4}(-[a-z]{2,20}){1,3}-\d{1,2}$/;
const MOST_REGIONS = 100;
const MOST_BUCKETS = 10_000;

/**
 * The SDK's own `followRegionRedirects` is no choice: it swaps the region of the shared client while a request runs,
 * so that concurrent requests are signed for the wrong one.
 */
export function createS3Clients(
  home: S3Client,
  create: (config: S3ClientConfig) => S3Client,
): S3Clients {
  const byRegion = new Map<string, S3Client>();
  const regions = new Map<string, string>();
  return {
    of: (bucket) => byRegion.get(regions.get(bucket) ?? '') ?? home,
    locate: (bucket, region) => {
      if (region === undefined || !REGION.test(region)) return;
      if (!byRegion.has(region)) {
        if (byRegion.size >= MOST_REGIONS) return;
        byRegion.set(region, create({ region }));
      }
      if (regions.size >= MOST_BUCKETS) regions.clear();
      regions.set(bucket, region);
    },
    close: () => {
      for (const client of [home, ...byRegion.values()]) client.destroy();
    },
  };
}
