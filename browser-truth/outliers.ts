/** Generated files that people see differently than they are judged, and why. */
export const OUTLIERS = new Map<string, string>([]);
