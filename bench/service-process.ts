import { ENVIRONMENT, OPTIONS } from '../bin/process-memory.js';

/** What bin/moderato.js gives the process of the service; here its parts and its limits have it too. */
export const SERVICE_PROCESS = {
  execArgv: Object.entries(OPTIONS).map(([name, value]) => `${name}=${value}`),
  env: ENVIRONMENT,
};
