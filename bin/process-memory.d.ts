export const OPTIONS: Readonly<Record<string, number>>;
export const ENVIRONMENT: Readonly<Record<string, string>>;
